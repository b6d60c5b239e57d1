import { userError } from '../../../protocol/errors.ts';
import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import type { Engine, Feeds, StepResult, TrainingModel, TrainingOptions, TrainingState } from '../../engine/engine.ts';
import { isOutOfMemory } from '../../engine/outOfMemory.ts';
import { averageName, type LearningGroups, type Optimizer } from '../../operators/optimizer/optimizer.ts';
import type { StateDict, Tensor } from '../../graph/tensor.ts';
import { dropoutMasks } from './dropoutMasks.ts';
import { learningPlan, type LearningPlan } from './learningPlan.ts';
import { cutFeeds, rowsOf, tooLarge } from './fitToMemory.ts';
import type { RunNetwork } from '../run/runNetwork.ts';
import { lossTargets, type TargetOptions } from '../../operators/loss/lossTargets.ts';

/** Name of the input that holds the loss targets. */
export const targetsInput = 'targets';

/** Takes optimizer steps, in as many parts as the device's memory wants. */
export interface Stepper {
  /** Images that go through the device at once. */
  readonly microBatchSize: number;
  /** Optimizer steps taken, those before a resume included. */
  readonly step: number;
  /**
   * One step over a batch: inputs of `RunNetwork.training` but for masks, and the actual classes, of which each image has
   * `ownShare` and the one before it the rest. A step in parts or a long one is given up if `signal` is aborted: then it has
   * not been taken, and the signal's reason is thrown.
   */
  take(feeds: Feeds, labels: Int32Array, learningRate: number, options?: TakeOptions): Promise<StepResult>;
  /** Shows the whole network as it stands, frozen tensors included, in the order of the state dict: see `TrainingModel.lend`. */
  lend<Result>(wanted: 'all' | 'weights', use: (state: TrainingState) => Promise<Result>): Promise<Result>;
  /** Goes over to what of the network trains in an epoch, and to its size of images. */
  enter(epoch: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface TakeOptions {
  /** 1 without it. */
  readonly ownShare?: number | undefined;
  readonly signal?: AbortSignal;
}

interface StepperOptions {
  readonly engine: Engine;
  readonly device: string;
  readonly network: RunNetwork;
  readonly config: TrainingConfig;
  readonly targets: TargetOptions;
  /** State of the whole network, moments and steps so far. */
  readonly initial: TrainingState;
  readonly microBatchSize: number;
  /** That of the configuration for a run of one epoch without it. */
  readonly plan?: LearningPlan;
  /** The epoch that comes first; 0 without it. */
  readonly epoch?: number;
  readonly log: (message: string) => void;
}

/** torch's defaults for what a configuration does not say: betas 0.9 and 0.999, epsilon 1e-8. */
export function optimizerOf(config: TrainingConfig, groups?: LearningGroups): Optimizer {
  const { optimizer, momentum, weightDecay, emaDecay } = config;
  const common = {
    weightDecay,
    ...(emaDecay === undefined ? {} : { averageDecay: emaDecay }),
    ...(groups ? { groups } : {}),
  };
  return optimizer === 'sgd'
    ? { ...common, kind: 'sgd', momentum }
    : { ...common, kind: optimizer, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
}

/**
 * Compiles the training step. Where the device runs out of memory, the batch is halved and the gradients of the parts
 * are added up, so that the effective batch stays; masks and the mean's divisor are those of the whole batch. `log`
 * hears of it. `take` throws a user error where not even one image fits.
 */
export async function createStepper(options: StepperOptions): Promise<Stepper> {
  const { engine, device, network, config, targets, initial, log, epoch: firstEpoch = 0 } = options;
  const { plan = learningPlan(config, network, 0) } = options;
  const training: Omit<TrainingOptions, 'trainable'> = {
    optimizer: optimizerOf(config, plan.groups),
    ...(config.clipNorm === undefined ? {} : { clipNorm: config.clipNorm }),
    ...(config.focalGamma === 0 ? {} : { focalGamma: config.focalGamma }),
    device,
  };
  let present = { trainable: plan.trainableAt(firstEpoch), size: plan.sizeAt(firstEpoch) };
  const compile = (from: TrainingState) =>
    engine.compileTraining(network.trainingAt(present.size), from, { ...training, trainable: present.trainable });
  // No closure below may hold the first state, or it is there for as long as the run is.
  let model = await compile(initial);
  let { microBatchSize } = options;
  let { step } = initial;

  const shrink = async (rows: number, error: unknown) => {
    const tried = Math.min(microBatchSize, rows);
    if (tried <= 1) throw tooLarge(error);
    microBatchSize = Math.ceil(tried / 2);
    log(shrinkMessage(tried, microBatchSize, config.batchSize, network.movesStatistics));
    model = await recompile(model, compile);
  };

  return {
    get microBatchSize() {
      return microBatchSize;
    },
    get step() {
      return step;
    },
    take: async (feeds, labels, learningRate, { ownShare, signal } = {}) => {
      const rows = rowsOf(feeds);
      const masks = dropoutMasks(network.trainingAt(present.size)(rows), config.seed, step);
      const wanted = lossTargets(labels, targets, ownShare);
      const batch: Feeds = new Map<string, Tensor>([...feeds, ...masks, [targetsInput, wanted]]);
      for (;;) {
        try {
          const parts = cutFeeds(batch, microBatchSize);
          const result = await model.step(parts, learningRate, signal);
          step++;
          return result;
        } catch (error) {
          if (!isOutOfMemory(error)) throw error;
          await shrink(rows, error);
        }
      }
    },
    lend: (wanted, use) => model.lend(wanted, use),
    enter: async (epoch) => {
      const next = { trainable: plan.trainableAt(epoch), size: plan.sizeAt(epoch) };
      if (next.size === present.size && next.trainable.size === present.trainable.size) return;
      present = next;
      model = await recompile(model, compile);
    },
    dispose: () => model.dispose(),
  };
}

function shrinkMessage(tried: number, part: number, batchSize: number, movesStatistics: boolean): string {
  const sentence = `The device ran out of memory for ${tried} images at once: from now on the gradients of ${part} at a time are added up to the same batch of ${batchSize}.`;
  return movesStatistics ? `${sentence} Batch norm on batch statistics sees the smaller parts.` : sentence;
}

/** A model anew, without the memory that the old one holds for the batch that did not fit. */
async function recompile(
  model: TrainingModel,
  compile: (from: TrainingState) => Promise<TrainingModel>,
): Promise<TrainingModel> {
  try {
    const state = await model.snapshot();
    await model.dispose();
    return await compile(state);
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    throw userError(
      'The device ran out of memory and could not recover: resume from the last checkpoint with a smaller batch size.',
      error,
    );
  }
}

/** The weights that a run is judged and used by: their moving averages, where it keeps any. */
export function usedWeights({ state, optimizer }: TrainingState): StateDict {
  return new Map([...state].map(([name, tensor]) => [name, optimizer.get(averageName(name)) ?? tensor]));
}

/** The weights that training goes on with, where others are used. */
export function weightsBehindAverages({ state, optimizer }: TrainingState): StateDict {
  return new Map([...state].filter(([name]) => optimizer.has(averageName(name))));
}
