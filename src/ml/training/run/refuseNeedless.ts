import { usageError } from '../../../protocol/errors.ts';
import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import { maskInputs } from '../loop/dropoutMasks.ts';
import type { RunNetwork } from './runNetwork.ts';

type Judged = Pick<GivenConfig, 'dropout' | 'batchNorm'>;

/**
 * Throws a usage error for settings that do nothing with this network, whatever they are set to. What a run that goes on had
 * `before` is left as it is.
 */
export function refuseNeedless(
  { dropout, batchNorm }: Judged,
  { whole }: Pick<RunNetwork, 'whole'>,
  before?: Judged,
): void {
  const graph = whole(1);
  if (dropout !== undefined && dropout > 0 && dropout !== before?.dropout && maskInputs(graph).length === 0) {
    throw usageError(
      'dropout (--dropout) is for hidden layers of the head and for dropout that the network has itself, and there is neither: leave it out, or take --hidden 1024.',
    );
  }
  if (
    batchNorm !== undefined &&
    batchNorm !== before?.batchNorm &&
    !graph.buffers.some((name) => name.endsWith('.running_mean'))
  ) {
    throw usageError(
      'batchNorm (--batch-norm) says which statistics batch norm computes with, and what trains here has no batch norm: leave it out.',
    );
  }
}
