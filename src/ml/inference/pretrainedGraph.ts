import { usageError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { isWeightSet } from '../../protocol/weightSetName.ts';
import { asUsage } from '../networks/asUsage.ts';
import { refuseUnusable } from '../networks/graphLimits.ts';
import { type NamedNetwork, namedNetwork, networkNames } from '../networks/registry.ts';
import { locateWeights, pinOfNetwork } from '../weights/locateWeights.ts';
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
  const { network, file, preprocessing } = await pretrained({ name, weights }, options, refuseUnknownClasses);
  const size = preprocessing.crop;
  const shapes = stateShapes(network.graph('original', { batchSize: 1, size }));
  const { extraTensors: extra, positions } = network;
  const state = await readWeights(file, shapes, { extra, positions, network: name });
  const graphFor = (batchSize: number) => network.graph('original', { batchSize, size, pixels: preprocessing });
  return { title: name, network: network.reference, graphFor, state, labels: imagenetClasses, preprocessing };
}

/** Throws a usage error for a network whose own classifier says nothing that has a name. */
function refuseUnknownClasses({ name, classes }: NamedNetwork): void {
  if (classes === imagenetClasses.length) return;
  const has = classes === 0 ? 'has no classes of its own' : `has ${classes} classes whose names are not known`;
  throw usageError(
    `${name} ${has}, so nothing can be classified with it: train a head on it, or choose another network.`,
  );
}

/**
 * A network's weights, from a file or a published set, and how its images are prepared for them. `refuse` throws for a
 * network that is of no use, before anything is fetched. Throws as `pretrainedGraph` does.
 */
export async function pretrained(
  { name, weights }: { readonly name: string; readonly weights?: string | undefined },
  options: WeightsOptions,
  refuse: (network: NamedNetwork) => void = () => undefined,
): Promise<{ readonly network: NamedNetwork; readonly file: string; readonly preprocessing: Preprocessing }> {
  const set = weights !== undefined && isWeightSet(weights) ? weights : undefined;
  const given = set === undefined ? weights : undefined;
  const isListed = networkNames.includes(name);
  const usable = (network: NamedNetwork) => {
    refuse(network);
    asUsage(() => {
      refuseUnusable(network.graph('original', { batchSize: 1, size: network.preprocessing.crop }), 'running');
    });
    return network;
  };
  if (isListed) usable(asUsage(() => namedNetwork(name)));
  const pin = given === undefined || !isListed ? await pinOfNetwork(name, options) : undefined;
  const pinned = asUsage(() => namedNetwork(name, pin));
  const network = isListed ? pinned : usable(pinned);
  const file = given ?? (await locateWeights(name, { set, pin }, options));
  const { preprocessing } = (await publishedSet(network, weights)) ?? network;
  return { network, file, preprocessing };
}
