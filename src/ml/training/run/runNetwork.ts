import { usageError } from '../../../protocol/errors.ts';
import { networkId } from '../../../protocol/networkName.ts';
import type { Preprocessing } from '../../../protocol/preprocessing.ts';
import {
  adapterOptionsOf,
  headDropout,
  imageSizesOf,
  type GivenConfig,
  type TrainingConfig,
} from '../../../protocol/trainingConfig.ts';
import type { Graph } from '../../graph/graph.ts';
import type { GraphForBatch } from '../../engine/engine.ts';
import { splitFrozen } from '../../passes/frozenPrefix.ts';
import { isAdapter, withAdapters } from '../../passes/lowRankAdapters.ts';
import type { HeadOptions } from '../../networks/layers/head.ts';
import { refuseUnusable } from '../../networks/graphLimits.ts';
import type { Initialisation } from '../../networks/initialise.ts';
import { type ImageDemands, imagesInput, type Network } from '../../networks/network.ts';
import { layerGroups, layerNumbers } from '../../networks/layerGroups.ts';
import { stateShapes } from '../../networks/stateShapes.ts';
import { trainableParameters } from '../../networks/trainableParameters.ts';
import { asUsage } from '../../networks/asUsage.ts';
import { withDropPath } from '../../passes/dropPath.ts';
import { withoutDropout, withoutFrozenDropout } from '../../passes/withoutDropout.ts';

/** The graphs that a run needs, and what of them moves. */
export interface RunNetwork {
  /** How new weights are drawn. */
  readonly initialise: Initialisation;
  /** Module name of the head. */
  readonly classifier: string;
  readonly trainable: ReadonlySet<string>;
  readonly preprocessing: Preprocessing;
  /** All of the network that is ours, for its names and shapes: images (or an ONNX file's features) -> log-probabilities. */
  readonly whole: GraphForBatch;
  /** The same as checkpoints and files of weights have it: without the adapters that the method `lora` trains. */
  readonly stored: GraphForBatch;
  /** What is frozen and can run ahead of the training step: images -> the inputs of `training`. Without it, nothing is. */
  readonly prefix?: GraphForBatch;
  /** What the training step runs. */
  readonly training: GraphForBatch;
  /** The same for images of another size, where nothing runs ahead of it. */
  readonly trainingAt: (size: number) => GraphForBatch;
  /** Sides of images that grow are multiples of this, in pixels. */
  readonly sizeStep: number;
  /** The same with running statistics and without dropout, for validation. */
  readonly validation: GraphForBatch;
  /** Whether batch norm moves its running statistics while training. */
  readonly movesStatistics: boolean;
}

/** Statistics of batch norm that a configuration means: those of the batch where everything trains, unless it says. */
export function batchNormOf(config: Pick<TrainingConfig, 'batchNorm' | 'method'>): 'running' | 'batch' {
  return config.batchNorm ?? (config.method === 'full' || config.method === 'scratch' ? 'batch' : 'running');
}

/** The head that a configuration means. */
export function headOf({ hidden, dropout = headDropout }: TrainingConfig, classes: number): HeadOptions {
  return { hidden, dropout, classes };
}

/**
 * How a run's pixels are prepared: as the network wants them, unless the configuration says otherwise. Throws a usage
 * error where the crop would not fit into the image, or the network takes only images of another size.
 */
export function preprocessingOf(
  config: GivenConfig,
  { constants, usual, size, multipleOf, resize }: ImageDemands,
): Preprocessing {
  const demanded = { ...constants, ...imageSizesOf(config, usual) };
  const own = 'preprocessing' in config.network ? (config.network.preprocessing ?? {}) : {};
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  const chosen = { ...demanded, ...Object.fromEntries(given), ...chosenPixels(config), ...chosenSizes(config, usual) };
  const preprocessing: Preprocessing = isWhole(chosen) ? { ...chosen, resize: chosen.crop } : chosen;
  if (preprocessing.resize < preprocessing.crop) {
    throw usageError(
      `\`resize\` ${preprocessing.resize} (--resize) is too small for \`imageSize\` ${preprocessing.crop} (--image-size), which is cut from it: leave it out, or take ${preprocessing.crop} or more.`,
    );
  }
  if (size !== undefined && size !== preprocessing.crop) {
    throw usageError(
      `The network takes images of ${size} pixels and not ${preprocessing.crop}: set \`imageSize\` (--image-size) to ${size}.`,
    );
  }
  if (multipleOf !== undefined && preprocessing.crop % multipleOf !== 0) {
    const nearest = multipleOf * Math.max(1, Math.round(preprocessing.crop / multipleOf));
    throw usageError(
      `The network takes images whose side is a multiple of ${multipleOf} pixels, and ${preprocessing.crop} is not: set \`imageSize\` (--image-size) to ${nearest}.`,
    );
  }
  if (resize !== undefined && resize !== preprocessing.resize && !isWhole(preprocessing)) {
    throw usageError(
      `The network was trained on images resized to ${resize} pixels and not ${preprocessing.resize}: set \`resize\` (--resize) to ${resize}.`,
    );
  }
  return preprocessing;
}

/** What of the preparation of pixels a configuration says itself. */
function chosenPixels({ fit, interpolation }: GivenConfig): Pick<Preprocessing, 'fit' | 'interpolation'> {
  return { ...(fit === undefined ? {} : { fit }), ...(interpolation === undefined ? {} : { interpolation }) };
}

/** What of the sizes of images a configuration says itself, which counts for more than what it says of a file's pixels. */
function chosenSizes(
  config: GivenConfig,
  usual: ImageDemands['usual'],
): Partial<Pick<Preprocessing, 'crop' | 'resize'>> {
  if (config.imageSize !== undefined) return imageSizesOf(config, usual);
  return config.resize === undefined ? {} : { resize: config.resize };
}

/** Whether the network sees whole images, which are then resized to the very square that it takes. */
function isWhole({ fit = 'crop' }: Preprocessing): boolean {
  return fit !== 'crop';
}

/**
 * Builds the graphs of a configuration for `classes` classes. Without `networkDropout`, dropout is in the head alone.
 * Throws a usage error for a method that the network does not have, and for settings with which it cannot be trained.
 */
export function runNetwork(
  config: TrainingConfig,
  network: Network,
  classes: number,
  networkDropout = true,
): RunNetwork {
  const { initialise, classifier } = network;
  if (!network.methods.includes(config.method)) {
    throw new Error(`a network that cannot be trained by the method ${config.method}`);
  }
  const preprocessing = preprocessingOf(config, network.images);
  const head = headOf(config, classes);
  const dropout = networkDropout ? (config.dropout ?? 'own') : 0;
  const graphOf = (batchNorm: 'running' | 'batch', size = preprocessing.crop) =>
    keepByBatch((batchSize) =>
      asUsage(() => network.graph(head, { batchSize, size, pixels: preprocessing, batchNorm, dropout })),
    );
  refuseStartSize(config, preprocessing.crop);
  refuseLargeBatch(config.batchSize, preprocessing.crop);
  const stored = graphOf(batchNormOf(config));
  const complete =
    config.method === 'lora' ? keepByBatch((batchSize) => adapted(stored(batchSize), config, network)) : stored;
  asUsage(() => refuseUnusable(complete(1), 'running'));
  const trainable = asUsage(() => trainableParameters(complete(1), choiceOf(config, classifier)));
  const whole = keepByBatch((batchSize) => withoutFrozenDropout(complete(batchSize), trainable));
  const dropping = (forward: GraphForBatch) => dropPathIn(forward, config, { trainable, whole, classifier });
  const sizeStep = network.images.multipleOf ?? usualSizeStep;
  const growing = keepByBatch((size) => dropping(graphOf(batchNormOf(config), size)));
  refuseSizesOfWeights(config, stored, graphOf);
  const facts = { initialise, classifier, trainable, preprocessing, stored, whole, sizeStep };
  if (whole(1).updates.size > 0) {
    refuseFrozenSettings(config);
    // The statistics of the frozen part move too, so nothing of it can be computed ahead or kept.
    const running = graphOf('running');
    const validation = keepByBatch((batchSize) => withoutDropout(running(batchSize)));
    const training = dropping(whole);
    asUsage(() => refuseUnusable(training(1), 'training'));
    const trainingAt = (size: number) => (size === preprocessing.crop ? training : growing(size));
    return { ...facts, training, trainingAt, validation, movesStatistics: true };
  }
  const split = keepByBatch((batchSize) =>
    // Ahead of the first adapter there is little to compute.
    config.method === 'lora' ? { suffix: whole(batchSize) } : splitFrozen(whole(batchSize), trainable),
  );
  if (!split(1).prefix && whole(1).inputs.includes(imagesInput)) refuseFrozenSettings(config);
  const prefix = (batchSize: number) => split(batchSize).prefix ?? whole(batchSize);
  const training = dropping((batchSize: number) => split(batchSize).suffix);
  const trainingAt = (size: number) => (size === preprocessing.crop ? training : growing(size));
  asUsage(() => refuseUnusable(training(1), 'training'));
  const validation = keepByBatch((batchSize) => withoutDropout(training(batchSize)));
  return { ...facts, ...(split(1).prefix ? { prefix } : {}), training, trainingAt, validation, movesStatistics: false };
}

/** Sides of growing images, for a network that takes any. */
const usualSizeStep = 32;

/** The training graph with stochastic depth, if there is to be any. Throws a usage error where no residual block trains. */
function dropPathIn(
  forward: GraphForBatch,
  { dropPath, method }: TrainingConfig,
  { trainable, whole, classifier }: Pick<RunNetwork, 'trainable' | 'whole' | 'classifier'>,
): GraphForBatch {
  if (dropPath === 0) return forward;
  const of = layerNumbers(layerGroups(whole(1), classifier));
  return keepByBatch((batchSize) => {
    const dropping = withDropPath(forward(batchSize), dropPath, trainable, (name) => of.get(name) ?? 0);
    if (dropping) return dropping;
    throw usageError(
      `\`dropPath\` (--drop-path) leaves out residual blocks, and with the method ${method} none of this network trains: leave it out.`,
    );
  });
}

/** Throws a usage error where images cannot begin smaller. */
function refuseStartSize({ startSize, method }: TrainingConfig, crop: number): void {
  if (startSize === undefined) return;
  if (method !== 'full' && method !== 'scratch') {
    throw usageError(
      `\`startSize\` (--start-size) can only be used with the methods full and scratch, not with ${method}, whose frozen layers see images of one size: leave it out.`,
    );
  }
  if (startSize > crop) {
    throw usageError(
      `\`startSize\` ${startSize} (--start-size) is above the image size ${crop}, to which images grow: take ${crop} or less.`,
    );
  }
}

/** Weights that depend on the size of the images, such as learned positions, cannot be trained at another. */
function refuseSizesOfWeights(
  { startSize }: TrainingConfig,
  stored: GraphForBatch,
  graphOf: (batchNorm: 'running', size: number) => GraphForBatch,
): void {
  if (startSize === undefined) return;
  const shapes = (graph: Graph) => JSON.stringify([...stateShapes(graph)]);
  if (shapes(stored(1)) === shapes(graphOf('running', startSize)(1))) return;
  throw usageError(
    'The weights of this network depend on the size of its images, so `startSize` (--start-size) cannot be used: leave it out.',
  );
}

/** The graph with adapters. Throws a usage error where the network has no Linears for them. */
function adapted(graph: Graph, config: TrainingConfig, { classifier, reference }: Network): Graph {
  const made = withAdapters(graph, classifier, adapterOptionsOf(config));
  if (made) return made;
  throw usageError(
    `The method \`lora\` puts adapters beside the Linears of a transformer, and ${networkId(reference)} has none: use \`head\`, \`top\` or \`full\`.`,
  );
}

/** Where no part of the network can run ahead, there is nothing to keep of an image's views or to compute in 8 bits. */
function refuseFrozenSettings({ featureViews, frozenPrecision, method }: TrainingConfig): void {
  const rest = `and with the method \`${method}\` and these settings no layer is: leave it out, or use \`head\`.`;
  if (featureViews !== undefined)
    throw usageError(`\`featureViews\` (--feature-views) keeps what frozen layers make of the images, ${rest}`);
  if (frozenPrecision !== 'float32')
    throw usageError(`\`frozenPrecision\` (--frozen-precision) says what frozen layers compute in, ${rest}`);
}

function choiceOf(config: TrainingConfig, classifier: string) {
  if (config.method === 'head') return { method: config.method, classifier } as const;
  if (config.method === 'lora') return { method: config.method, classifier, isAdapter } as const;
  if (config.method !== 'top') return { method: config.method };
  if (config.topTensors === undefined) {
    throw usageError('The method `top` also needs `topTensors` (--top-tensors): how many parameter tensors train.');
  }
  return { method: config.method, topTensors: config.topTensors };
}

/** Bytes that the pixels of a batch may take; 1,783 images of 224 pixels do. */
const mostBatchBytes = 2 ** 28;

/** Most images of so many pixels a side that a batch may have. */
export function largestBatch(size: number): number {
  return Math.floor(mostBatchBytes / (3 * size * size));
}

function refuseLargeBatch(batchSize: number, size: number): void {
  const most = largestBatch(size);
  if (batchSize <= most) return;
  throw usageError(
    `A batch of ${batchSize} images of ${size} pixels is too large: set \`batchSize\` (--batch-size) to at most ${most}.`,
  );
}

function keepByBatch<Value>(make: (batchSize: number) => Value): (batchSize: number) => Value {
  const kept = new Map<number, Value>();
  return (batchSize) => {
    const value = kept.get(batchSize) ?? make(batchSize);
    kept.set(batchSize, value);
    return value;
  };
}
