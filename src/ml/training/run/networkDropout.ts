import type { CheckpointMetadata } from '../../../protocol/checkpointMetadata.ts';
import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import type { Network } from '../../networks/network.ts';
import { maskInputs } from '../loop/dropoutMasks.ts';
import { runNetwork } from './runNetwork.ts';

/** What a checkpoint that is resumed says of dropout. */
interface DropoutBefore {
  readonly checkpoint: {
    readonly metadata: { readonly training: Pick<CheckpointMetadata['training'], 'networkDropout'> };
  };
  readonly resume: { readonly config: Pick<TrainingConfig, 'dropout'> };
}

/**
 * Whether the dropout of the network itself takes part in a run that goes on: as before. Runs from before it was built
 * always recorded a rate, which was that of the head alone.
 */
export function hasNetworkDropout({ checkpoint, resume }: DropoutBefore): boolean {
  return checkpoint.metadata.training.networkDropout ?? resume.config.dropout === undefined;
}

/** A line for a run that goes on without the dropout that its network would have; undefined where it has none. */
export function lacksNetworkDropout(config: TrainingConfig, network: Network): string | undefined {
  const dropouts = (networkDropout: boolean) => maskInputs(runNetwork(config, network, 2, networkDropout).whole(1));
  if (dropouts(true).length === dropouts(false).length) return undefined;
  return 'This run began before networks had dropout of their own, and continues with dropout in the head only: start a new run to have both.';
}
