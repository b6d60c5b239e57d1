import type { CheckpointMetadata } from '../../../protocol/checkpointMetadata.ts';
import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import type { TrainingState } from '../../engine/engine.ts';
import type { Moment } from '../run/saver.ts';
import type { Metrics } from './metrics.ts';
import type { Position } from './position.ts';
import type { Stepper } from './stepper.ts';

/** Figures of a validation; the mean training loss before it where a step led to it. */
export interface Validated {
  readonly metrics: Metrics;
  readonly trainLoss: number | undefined;
}

interface Run {
  readonly run: string;
  readonly config: TrainingConfig;
  readonly stepper: Pick<Stepper, 'microBatchSize'>;
}

/** All that a checkpoint keeps of the present moment; `epoch` is with the fraction of the present one. */
export function checkpointMoment(
  { run, config, stepper }: Run,
  training: TrainingState,
  { best, measuredOn, earlyStop, ...position }: Position,
  epoch: number,
  validated: Validated | undefined,
): Moment {
  return {
    training,
    resume: {
      ...{ run, config, ...position },
      microBatchSize: stepper.microBatchSize,
      trainLoss: { ...position.trainLoss },
      earlyStop: {
        epochsWithoutBetter: earlyStop.epochsWithoutBetter,
        ...(earlyStop.bestLoss === undefined ? {} : { bestLoss: earlyStop.bestLoss }),
      },
      ...(best ? { best } : {}),
      ...(measuredOn ? { measuredOn } : {}),
    },
    epoch,
    metrics: validated ? figuresOf(validated) : {},
  };
}

function figuresOf({ metrics, trainLoss }: Validated): CheckpointMetadata['metrics'] {
  return {
    ...(trainLoss === undefined ? {} : { trainLoss }),
    validLoss: metrics.loss,
    validAccuracy: metrics.accuracy,
    validTop5: metrics.top5,
  };
}
