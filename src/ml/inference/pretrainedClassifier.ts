import { usageError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { namedNetwork, networkGraph } from '../networks/registry.ts';
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
  refuseUnknown(name);
  const file = weights ?? (await locateWeights(name, options));
  const shapes = stateShapes(networkGraph(name, 'original'));
  const state = await readWeights(file, shapes, { network: name });
  const common = { title: name, network: name, head: 'original' as const, state };
  return createGraphClassifier({ ...common, labels: imagenetClasses, preprocessing }, placement);
}

function refuseUnknown(name: string): void {
  try {
    namedNetwork(name);
  } catch (error) {
    if (error instanceof RangeError) throw usageError(`${error.message}.`);
    throw error;
  }
}
