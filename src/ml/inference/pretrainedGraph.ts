import { basename } from 'node:path';
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
import { saysPixels, withGiven } from './backbonePreprocessing.ts';
import type { ClassifierGraph } from './classifier.ts';
import { imagenetClasses } from './imagenetClasses.ts';
import { ownWeightsGraph } from './ownWeights.ts';

/** Where pretrained weights are kept and fetched from; see the weights room. */
export type WeightsOptions = LocateOptions;

/** A network by its name, with published weights or those of a file. */
export interface NamedWeights {
  readonly name: string;
  /** A published set by its name, the network's first without it; or a file. */
  readonly weights?: string | undefined;
  /** File that names the classes of a file's weights, see `readClassList`. */
  readonly labels?: string | undefined;
  /** Takes the place of what is known of the pixels that a file's weights were trained with. */
  readonly preprocessing?: Partial<Preprocessing> | undefined;
}

/**
 * A network with its own classifier: of ImageNet's classes with a published set, or of any classes with weights from a file.
 * Images are prepared as the set wants them; for another file as the network's first set wants them, which `log` hears.
 * Throws a usage error for an unknown network, and a user error where the weights are not to be had or do not fit.
 */
export async function pretrainedGraph(
  { name, weights, labels, preprocessing: given }: NamedWeights,
  options: WeightsOptions,
  log?: (sentence: string) => void,
): Promise<ClassifierGraph> {
  const isFile = weights !== undefined && !isWeightSet(weights);
  const refuse = isFile ? undefined : refuseUnknownClasses;
  const { network, file, preprocessing: usual, isKnown } = await pretrained({ name, weights }, options, refuse);
  const preprocessing = withGiven(usual, given);
  if (isFile) {
    if (!isKnown && !saysPixels(given)) log?.(usualPixelsNote(file, name, preprocessing));
    return ownWeightsGraph({ network, file, preprocessing, labels }, log);
  }
  const size = preprocessing.crop;
  const shapes = stateShapes(network.graph('original', { batchSize: 1, size }));
  const { extraTensors: extra, positions } = network;
  const state = await readWeights(file, shapes, { extra, positions, network: name });
  const graphFor = (batchSize: number) => network.graph('original', { batchSize, size, pixels: preprocessing });
  return { title: name, network: network.reference, graphFor, state, labels: imagenetClasses, preprocessing };
}

function usualPixelsNote(file: string, name: string, { resize, crop, mean, std }: Preprocessing): string {
  const numbers = (values: readonly number[]) => values.map((value) => Number(value.toFixed(3))).join(',');
  return `${basename(file)} does not say how its images are prepared, so they are as for the published weights of ${name}: resized to ${resize}, cropped to ${crop}, mean ${numbers(mean)}, deviation ${numbers(std)}; --preprocess, --mean and --std say otherwise.`;
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
): Promise<{
  readonly network: NamedNetwork;
  readonly file: string;
  readonly preprocessing: Preprocessing;
  /** Whether the weights are a published set, whose preprocessing is known. */
  readonly isKnown: boolean;
}> {
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
  const published = await publishedSet(network, weights);
  return { network, file, preprocessing: (published ?? network).preprocessing, isKnown: published !== undefined };
}
