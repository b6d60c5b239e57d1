import { usageError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { isWeightSet } from '../../protocol/weightSet.ts';
import { asUsage } from '../networks/asUsage.ts';
import { type NamedNetwork, namedNetwork, networkNames } from '../networks/registry.ts';
import { locateWeights, pinOfNetwork } from '../weights/pretrained.ts';
import { publishedSet } from '../weights/publishedSet.ts';
import type { LocateOptions } from '../weights/weightsPlaces.ts';
import { stateShapes } from '../networks/stateShapes.ts';
import { readWeights } from '../weights/weightsFile.ts';
import type { ClassifierGraph } from './classifier.ts';
import { imagenetClasses } from './imagenetClasses.ts';

/** Where pretrained weights are kept and fetched from; see the weights room. */
export type WeightsOptions = LocateOptions;

/**
 * A network with its own classifier of ImageNet's classes, with weights from a file or a published set, the network's first
 * where none is named; images are prepared as that set wants them. Throws a usage error for an unknown network, and a user
 * error where the weights are not to be had or do not fit.
 */
export async function pretrainedGraph(
  { name, weights }: { readonly name: string; readonly weights?: string },
  options: WeightsOptions,
): Promise<ClassifierGraph> {
  const { network, file, preprocessing } = await pretrained({ name, weights }, options);
  if (network.classes !== imagenetClasses.length) {
    const has =
      network.classes === 0 ? 'has no classes of its own' : `has ${network.classes} classes whose names are not known`;
    throw usageError(
      `${name} ${has}, so nothing can be classified with it: train a head on it, or choose another network.`,
    );
  }
  const size = preprocessing.crop;
  const shapes = stateShapes(network.graph('original', { batchSize: 1, size }));
  const { extraTensors: extra, positions } = network;
  const state = await readWeights(file, shapes, { extra, positions, network: name });
  const graphFor = (batchSize: number) => network.graph('original', { batchSize, size, pixels: preprocessing });
  return { title: name, graphFor, state, labels: imagenetClasses, preprocessing };
}

/** A network's weights, from a file or a published set, and how its images are prepared for them. Throws as `pretrainedGraph` does. */
export async function pretrained(
  { name, weights }: { readonly name: string; readonly weights?: string | undefined },
  options: WeightsOptions,
): Promise<{ readonly network: NamedNetwork; readonly file: string; readonly preprocessing: Preprocessing }> {
  const set = weights !== undefined && isWeightSet(weights) ? weights : undefined;
  const given = set === undefined ? weights : undefined;
  const needsHub = given === undefined || !networkNames.includes(name);
  const pin = needsHub ? await pinOfNetwork(name, options) : undefined;
  const network = asUsage(() => namedNetwork(name, pin));
  const file = given ?? (await locateWeights(name, { set, pin }, options));
  const { preprocessing } = (await publishedSet(network, weights)) ?? network;
  return { network, file, preprocessing };
}
