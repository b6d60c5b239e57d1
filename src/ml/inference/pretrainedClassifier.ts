import { usageError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { type NamedNetwork, namedNetwork } from '../networks/registry.ts';
import { locateWeights } from '../weights/pretrained.ts';
import { stateShapes } from '../networks/stateShapes.ts';
import { readWeights } from '../weights/weightsFile.ts';
import type { Classifier } from './classifier.ts';
import { createGraphClassifier, type Placement } from './graphClassifier.ts';
import { imagenetClasses } from './imagenetClasses.ts';

/** Where pretrained weights are kept and fetched from; see the weights room. */
export type WeightsOptions = NonNullable<Parameters<typeof locateWeights>[1]>;

/**
 * A network with its own classifier of ImageNet's classes, with weights from a file or by the network's name. Throws a
 * usage error for an unknown network, and a user error where the weights are not to be had or do not fit.
 */
export async function createPretrainedClassifier(
  { name, weights }: { readonly name: string; readonly weights?: string },
  preprocessing: Preprocessing,
  placement: Placement,
  options: WeightsOptions,
): Promise<Classifier> {
  const network = knownNetwork(name);
  const file = weights ?? (await locateWeights(name, options));
  const size = preprocessing.crop;
  const shapes = stateShapes(network.graph('original', { batchSize: 1, size }));
  const state = await readWeights(file, shapes, { network: name });
  const graphFor = (batchSize: number) => network.graph('original', { batchSize, size, pixels: preprocessing });
  return createGraphClassifier({ title: name, graphFor, state, labels: imagenetClasses, preprocessing }, placement);
}

function knownNetwork(name: string): NamedNetwork {
  try {
    return namedNetwork(name);
  } catch (error) {
    if (error instanceof RangeError) throw usageError(`${error.message}.`);
    throw error;
  }
}
