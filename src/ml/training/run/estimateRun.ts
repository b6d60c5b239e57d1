import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import type { RunEstimate } from '../../../protocol/dryRun.ts';
import { measureSteps } from '../loop/measureSteps.ts';
import { dryRun, type DryRunOptions } from './dryRun.ts';

/**
 * How long a run of a configuration would take here and how much memory, by some of its own steps. Leaves nothing behind.
 * Throws as `trainRun` does, and a cancellation once `signal` is aborted.
 */
export async function estimateRun(
  config: GivenConfig,
  { onStep, onEvent, ...options }: DryRunOptions & { readonly onStep?: (done: number, total: number) => void },
): Promise<RunEstimate> {
  let validImages = 0;
  let estimate: RunEstimate | undefined;
  const measured = {
    began: performance.now(),
    validImages: () => validImages,
    ...(onStep ? { onStep } : {}),
  };
  const loop = measureSteps(measured, (found) => (estimate = found));
  await dryRun(config, loop, {
    ...options,
    onEvent: (event) => {
      if (event.event === 'start') ({ validImages } = event);
      onEvent?.(event);
    },
  });
  if (!estimate) throw new Error('the run ended without a measurement');
  return estimate;
}
