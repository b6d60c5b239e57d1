import { userError } from '../../../protocol/errors.ts';
import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import type { Engine, Feeds, StepResult, TrainingModel, TrainingOptions, TrainingState } from '../../engine/engine.ts';
import { isOutOfMemory } from '../../engine/outOfMemory.ts';
import type { Optimizer } from '../../operators/optimizer/optimizer.ts';
import type { StateDict, Tensor } from '../../graph/tensor.ts';
import { dropoutMasks } from './dropoutMasks.ts';
import { cutFeeds, rowsOf, tooLarge } from './fitToMemory.ts';
import type { RunNetwork } from '../run/runNetwork.ts';
import { lossTargets, type TargetOptions } from './targets.ts';

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
   * `ownShare` and the one before it the rest.
   */
  take(feeds: Feeds, labels: Int32Array, learningRate: number, ownShare?: number): Promise<StepResult>;
  /** The whole network as it stands, frozen tensors included, in the order of the state dict. */
  snapshot(): Promise<TrainingState>;
  dispose(): Promise<void>;
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
  readonly log: (message: string) => void;
}

/** torch's defaults for what a configuration does not say: betas 0.9 and 0.999, epsilon 1e-8. */
export function optimizerOf(config: TrainingConfig): Optimizer {
  const { optimizer, momentum, weightDecay } = config;
  return optimizer === 'sgd'
    ? { kind: 'sgd', momentum, weightDecay }
    : { kind: optimizer, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay };
}

/**
 * Compiles the training step. Where the device runs out of memory, the batch is halved and the gradients of the parts
 * are added up, so that the effective batch stays; masks and the mean's divisor are those of the whole batch. `log`
 * hears of it. `take` throws a user error where not even one image fits.
 */
export async function createStepper(options: StepperOptions): Promise<Stepper> {
  const { engine, network, config, initial, log } = options;
  const training: TrainingOptions = {
    trainable: network.trainable,
    optimizer: optimizerOf(config),
    ...(config.clipNorm === undefined ? {} : { clipNorm: config.clipNorm }),
    ...(config.focalGamma === 0 ? {} : { focalGamma: config.focalGamma }),
    device: options.device,
  };
  const compile = (from: TrainingState) => engine.compileTraining(network.training, from, training);
  let model = await compile(initial);
  let microBatchSize = options.microBatchSize;
  let step = initial.step;

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
    take: async (feeds, labels, learningRate, ownShare) => {
      const rows = rowsOf(feeds);
      const masks = dropoutMasks(network.training(rows), config.seed, step);
      const targets = lossTargets(labels, options.targets, ownShare);
      const batch: Feeds = new Map<string, Tensor>([...feeds, ...masks, [targetsInput, targets]]);
      for (;;) {
        try {
          const parts = cutFeeds(batch, microBatchSize);
          const result = await model.step(parts, learningRate);
          step++;
          return result;
        } catch (error) {
          if (!isOutOfMemory(error)) throw error;
          await shrink(rows, error);
        }
      }
    },
    snapshot: async () => {
      const present = await model.snapshot();
      return { ...present, state: wholeState(initial.state, present.state) };
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

/** Tensors that moved in the place of those that did not, in the order of the state dict. */
function wholeState(initial: StateDict, present: StateDict): StateDict {
  return new Map([...initial].map(([name, tensor]) => [name, present.get(name) ?? tensor]));
}
