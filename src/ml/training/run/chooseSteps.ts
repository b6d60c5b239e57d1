import type { GivenConfig, TrainingConfig } from '../../../protocol/trainingConfig.ts';
import { isNode } from '../../graph/graph.ts';
import type { Network } from '../../networks/network.ts';
import { softmaxOperator } from '../../operators/activation/softmax.ts';
import { batchNormOf, largestBatch, preprocessingOf } from './runNetwork.ts';

/** A configuration without `auto`, and a sentence for the log where there was one. */
export interface ChosenSteps {
  readonly config: TrainingConfig;
  readonly sentence?: string;
}

/** Steps that an epoch has at least, if the batches can be made small enough for that. */
const stepsPerEpoch = 32;
const [smallestBatch, mostImagesPerBatch] = [8, 64];
/** Batch of the learning rates below. */
const usualBatch = 32;

/**
 * Numbers for what is `auto` in a configuration. The batch size is the power of two from 8 to 64 that gives an epoch 32
 * steps or more; with batch norm on the statistics of batches it is 16 or more. The learning rate is the usual one of the
 * method for batches of 32: for Adam 0.001 for a head and from scratch, 0.0005 for adapters, 0.0001 for pretrained layers;
 * 0.3 of that where layers of a transformer themselves train, from scratch too; ten times as much for SGD. It grows with the
 * batch size, linearly for SGD (Goyal et al. 2017) and by the square root for Adam (Malladi et al. 2022).
 */
export function chooseSteps(given: GivenConfig, network: Network, trainImages: number): ChosenSteps {
  const batchSize = given.batchSize === 'auto' ? batchSizeFor(given, network, trainImages) : given.batchSize;
  const learningRate = given.learningRate === 'auto' ? learningRateFor(given, network, batchSize) : given.learningRate;
  const config = { ...given, batchSize, learningRate };
  const chosen = [
    ...(given.batchSize === 'auto' ? [`batches of ${batchSize} images`] : []),
    ...(given.learningRate === 'auto' ? [`the learning rate ${learningRate}`] : []),
  ];
  if (chosen.length === 0) return { config };
  const reasons = `${trainImages} training images, the method ${given.method} and the optimizer ${given.optimizer}`;
  return { config, sentence: `Chose ${chosen.join(' and ')} for ${reasons}.` };
}

/** A configuration that goes on: what is `auto` in it stays as it was before. */
export function keepSteps(given: GivenConfig, before: TrainingConfig): TrainingConfig {
  const { batchSize, learningRate } = given;
  return {
    ...given,
    batchSize: batchSize === 'auto' ? before.batchSize : batchSize,
    learningRate: learningRate === 'auto' ? before.learningRate : learningRate,
  };
}

function batchSizeFor(given: GivenConfig, network: Network, trainImages: number): number {
  const least = batchNormOf(given) === 'batch' ? 2 * smallestBatch : smallestBatch;
  const wanted = 2 ** Math.floor(Math.log2(Math.max(1, trainImages / stepsPerEpoch)));
  const within = Math.min(mostImagesPerBatch, Math.max(least, wanted));
  return Math.min(within, largestBatch(preprocessingOf(given, network.images).crop));
}

function learningRateFor({ method, optimizer }: GivenConfig, network: Network, batchSize: number): number {
  const isNew = method === 'head' || method === 'scratch';
  const pretrained = method === 'lora' ? 0.0005 : 0.0001;
  const share = method !== 'head' && method !== 'lora' && attends(network) ? 0.3 : 1;
  const ratio = batchSize / usualBatch;
  const scale = optimizer === 'sgd' ? 10 * ratio : Math.sqrt(ratio);
  return Number(((isNew ? 0.001 : pretrained) * share * scale).toPrecision(2));
}

/** Whether a network has attention in it, as transformers have. */
function attends({ graph, images: { usual } }: Network): boolean {
  const { nodes } = graph({ hidden: [], dropout: 0, classes: 2 }, { batchSize: 1, size: usual.crop });
  return nodes.some((node) => isNode(node, softmaxOperator));
}
