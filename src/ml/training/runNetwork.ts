import { usageError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { resizeOf, type TrainingConfig } from '../../protocol/trainingConfig.ts';
import { refuseUnusable } from '../networks/graphLimits.ts';
import { buildHead } from '../networks/layers/head.ts';
import type { Initialisation } from '../networks/initialise.ts';
import { torchDefaults } from '../networks/initialise.ts';
import { buildNetwork, namedNetwork } from '../networks/registry.ts';
import { trainableParameters } from '../networks/trainableParameters.ts';
import { createGraphBuilder, finishGraph, input, normalize } from '../graph/builder.ts';
import { splitFrozen } from '../graph/frozenPrefix.ts';
import { pixelConstants } from '../graph/pixelConstants.ts';
import type { GraphForBatch } from '../engine/engine.ts';
import { presetConstants } from '../inference/backbonePreprocessing.ts';
import { featuresInput } from '../inference/backboneClassifier.ts';
import { withoutDropout } from './withoutDropout.ts';

/** Input of the graphs: decoded pixels, uint8 `[N, 3, S, S]`. */
export const imagesInput = 'images';
/** Module name of the head on a backbone. */
export const backboneClassifier = 'classifier';

/** What of an ONNX file the graphs need to know. */
export interface BackboneFacts {
  readonly features: number;
  /** Side in pixels of the images that it takes; undefined where it takes any. */
  readonly imageSize: number | undefined;
  /** Constants for its pixels where the configuration gives none. */
  readonly constants: Omit<Preprocessing, 'resize' | 'crop'>;
  /** The short side that its images were trained with, where the file says so. */
  readonly resize: number | undefined;
}

/** The graphs that a run needs, and what of them moves. */
export interface RunNetwork {
  /** How new weights are drawn. */
  readonly initialise: Initialisation;
  /** Module name of the head. */
  readonly classifier: string;
  readonly trainable: ReadonlySet<string>;
  readonly preprocessing: Preprocessing;
  /** All of the network that is ours, for its names and shapes: images (or a backbone's features) -> log-probabilities. */
  readonly whole: GraphForBatch;
  /** What is frozen and can run ahead of the training step: images -> the inputs of `training`. Without it, nothing is. */
  readonly prefix?: GraphForBatch;
  /** What the training step runs. */
  readonly training: GraphForBatch;
  /** The same with running statistics and without dropout, for validation. */
  readonly validation: GraphForBatch;
  /** Whether batch norm moves its running statistics while training. */
  readonly movesStatistics: boolean;
}

/** Statistics of batch norm that a configuration means: those of the batch where everything trains, unless it says. */
export function batchNormOf(config: TrainingConfig): 'running' | 'batch' {
  return config.batchNorm ?? (config.method === 'full' || config.method === 'scratch' ? 'batch' : 'running');
}

/**
 * How a run's pixels are prepared: ImageNet's constants, unless the backbone was configured otherwise or suggests others.
 * Throws a usage error where the crop would not fit into the image.
 */
function preprocessingOf(config: TrainingConfig, suggested: BackboneFacts['constants']): Preprocessing {
  const { scale, mean, std, channels } = suggested;
  const constants = { resize: resizeOf(config), crop: config.imageSize, scale, mean, std, channels };
  const own = config.network.kind === 'backbone' ? (config.network.preprocessing ?? {}) : {};
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  const preprocessing: Preprocessing = { ...constants, ...Object.fromEntries(given) };
  if (preprocessing.resize < preprocessing.crop) {
    throw usageError(
      `\`resize\` ${preprocessing.resize} (--resize) is too small for \`imageSize\` ${preprocessing.crop} (--image-size), which is cut from it: leave it out, or take ${preprocessing.crop} or more.`,
    );
  }
  return preprocessing;
}

/**
 * Builds the graphs of a configuration for `classes` classes. `backbone` describes the ONNX file where the network is
 * one. Throws a usage error for an unknown network, and for a method that the network does not have.
 */
export function runNetwork(config: TrainingConfig, classes: number, backbone?: BackboneFacts): RunNetwork {
  if (config.network.kind === 'architecture') return architectureNetwork(config, config.network.name, classes);
  if (!backbone) throw new Error('a backbone has to be read before its graphs are built');
  return backboneNetwork(config, classes, backbone);
}

function architectureNetwork(config: TrainingConfig, name: string, classes: number): RunNetwork {
  const { initialise, classifier } = asUsage(() => namedNetwork(name));
  const preprocessing = preprocessingOf(config, presetConstants('imagenet'));
  const head = { hidden: config.hidden, dropout: config.dropout, classes };
  const graphOf = (batchNorm: 'running' | 'batch') =>
    keepByBatch((batchSize) => {
      const builder = createGraphBuilder(batchNorm);
      const size = preprocessing.crop;
      const pixels = input(builder, imagesInput, [batchSize, 3, size, size], 'uint8');
      const images = normalize(builder, pixels, pixelConstants(preprocessing));
      return finishGraph(builder, [asUsage(() => buildNetwork(name, builder, images, head))]);
    });
  refuseLargeBatch(config.batchSize, preprocessing.crop);
  const whole = graphOf(batchNormOf(config));
  asUsage(() => refuseUnusable(whole(1), 'running'));
  const trainable = asUsage(() => trainableParameters(whole(1), choiceOf(config, classifier)));
  const facts = { initialise, classifier, trainable, preprocessing, whole };
  if (whole(1).updates.size > 0) {
    refuseFrozenSettings(config);
    asUsage(() => refuseUnusable(whole(1), 'training'));
    // The statistics of the frozen part move too, so nothing of it can be computed ahead or kept.
    const running = graphOf('running');
    const validation = keepByBatch((batchSize) => withoutDropout(running(batchSize)));
    return { ...facts, training: whole, validation, movesStatistics: true };
  }
  const split = keepByBatch((batchSize) => splitFrozen(whole(batchSize), trainable));
  if (!split(1).prefix) refuseFrozenSettings(config);
  const prefix = (batchSize: number) => split(batchSize).prefix ?? whole(batchSize);
  const training = (batchSize: number) => split(batchSize).suffix;
  asUsage(() => refuseUnusable(training(1), 'training'));
  const validation = keepByBatch((batchSize) => withoutDropout(training(batchSize)));
  return { ...facts, ...(split(1).prefix ? { prefix } : {}), training, validation, movesStatistics: false };
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
  if (config.method !== 'top') return { method: config.method };
  if (config.topTensors === undefined) {
    throw usageError('The method `top` also needs `topTensors` (--top-tensors): how many parameter tensors train.');
  }
  return { method: config.method, topTensors: config.topTensors };
}

function backboneNetwork(config: TrainingConfig, classes: number, backbone: BackboneFacts): RunNetwork {
  if (config.method !== 'head') {
    throw usageError(`An ONNX backbone is frozen, so the method \`${config.method}\` is not possible: use \`head\`.`);
  }
  const preprocessing = preprocessingOf(config, backbone.constants);
  if (backbone.imageSize !== undefined && backbone.imageSize !== preprocessing.crop) {
    throw usageError(
      `The ONNX backbone takes images of ${backbone.imageSize} pixels and not ${preprocessing.crop}: set \`imageSize\` (--image-size) to ${backbone.imageSize}.`,
    );
  }
  if (backbone.resize !== undefined && backbone.resize !== preprocessing.resize) {
    throw usageError(
      `The ONNX backbone was trained on images resized to ${backbone.resize} pixels and not ${preprocessing.resize}: set \`resize\` (--resize) to ${backbone.resize}.`,
    );
  }
  const head = { hidden: config.hidden, dropout: config.dropout, classes };
  const training = keepByBatch((batchSize) => {
    const builder = createGraphBuilder();
    const x = input(builder, featuresInput, [batchSize, backbone.features]);
    return finishGraph(builder, [buildHead(builder, backboneClassifier, x, head)]);
  });
  refuseLargeBatch(config.batchSize, preprocessing.crop);
  asUsage(() => refuseUnusable(training(1), 'training'));
  return {
    initialise: torchDefaults,
    classifier: backboneClassifier,
    trainable: new Set(training(1).parameters),
    preprocessing,
    whole: training,
    training,
    validation: keepByBatch((batchSize) => withoutDropout(training(batchSize))),
    movesStatistics: false,
  };
}

/** Bytes that the pixels of a batch may take; 1,783 images of 224 pixels do. */
const mostBatchBytes = 2 ** 28;

function refuseLargeBatch(batchSize: number, size: number): void {
  const most = Math.floor(mostBatchBytes / (3 * size * size));
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

/** The registry's RangeErrors are the user's: an unknown name, a count out of range. */
function asUsage<Value>(make: () => Value): Value {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw usageError(`${capital(error.message)}.`);
    throw error;
  }
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
