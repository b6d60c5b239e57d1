import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import { layerGroups, layerNumbers } from '../../networks/layerGroups.ts';
import type { LearningGroups } from '../../operators/optimizer/optimizer.ts';
import type { RunNetwork } from '../run/runNetwork.ts';

/** What of the network learns when, and on images of which size. */
export interface LearningPlan {
  /** Rates and first steps by layer; undefined where all parameters learn alike. */
  readonly groups: LearningGroups | undefined;
  /** The parameters that move in an epoch, counted from 0. */
  readonly trainableAt: (epoch: number) => ReadonlySet<string>;
  /** Side of the training images in an epoch, in pixels. */
  readonly sizeAt: (epoch: number) => number;
}

type PlannedNetwork = Pick<RunNetwork, 'whole' | 'classifier' | 'trainable' | 'preprocessing' | 'sizeStep'>;

/**
 * The plan of a configuration. With `layerDecay` each layer learns at that share of the rate of the layer behind it, and the
 * head at the whole rate. With `unfreezeEpochs` the head trains alone in the first epoch, and the layers join it from the
 * head back, evenly, until all train after so many epochs; moments of a layer begin with it, as torch's do.
 */
export function learningPlan(config: TrainingConfig, network: PlannedNetwork, stepsPerEpoch: number): LearningPlan {
  const { layerDecay, unfreezeEpochs } = config;
  const sizeAt = (epoch: number) => sizeIn(epoch, config, network);
  if (layerDecay === 1 && unfreezeEpochs === 0)
    return { groups: undefined, trainableAt: () => network.trainable, sizeAt };
  const layers = layerGroups(network.whole(1), network.classifier);
  const epochs = layers.map((_, index) => firstEpoch(layers.length - 1 - index, layers.length, unfreezeEpochs));
  const all = layers.map((_, index) => ({
    rate: layerDecay ** (layers.length - 1 - index),
    start: (epochs[index] ?? 0) * stepsPerEpoch,
  }));
  const of = layerNumbers(layers);
  const trainableAt = (epoch: number) =>
    new Set([...network.trainable].filter((name) => (epochs[of.get(name) ?? 0] ?? 0) <= epoch));
  return { groups: { all, of }, trainableAt, sizeAt };
}

/** The epoch in which the layer `distance` layers before the head begins to train. */
function firstEpoch(distance: number, layers: number, unfreezeEpochs: number): number {
  return layers < 2 ? 0 : Math.ceil((distance * unfreezeEpochs) / (layers - 1));
}

/** Images grow evenly over the epochs, in whole steps of the network, and have their full size in the last one. */
function sizeIn(
  epoch: number,
  { startSize, epochs }: Pick<TrainingConfig, 'startSize' | 'epochs'>,
  { preprocessing: { crop }, sizeStep }: Pick<PlannedNetwork, 'preprocessing' | 'sizeStep'>,
): number {
  if (startSize === undefined || epoch >= epochs - 1) return crop;
  const size = startSize + ((crop - startSize) * epoch) / (epochs - 1);
  return Math.min(crop, Math.max(sizeStep, Math.round(size / sizeStep) * sizeStep));
}
