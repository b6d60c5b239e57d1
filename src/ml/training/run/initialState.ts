import { type StateDict, tensorOf } from '../../graph/tensor.ts';
import { initialise, type Initialisation, zeros } from '../../networks/initialise.ts';
import { isAdapter, isSecondFactor } from '../../passes/lowRankAdapters.ts';
import { stateShapes } from '../../networks/stateShapes.ts';
import type { WeightsChoice } from '../../weights/locateWeights.ts';
import { readWeights } from '../../weights/weightsFile.ts';
import type { FirstWeights } from './openNetwork.ts';
import type { RunNetwork } from './runNetwork.ts';

/** Finds the file of a network's weights by its name, and fetches it if need be. */
export type LocateWeights = (network: string, choice: WeightsChoice) => Promise<string>;

/**
 * The weights with which a new run begins: random ones by seed, and those of `first`, if there are any, in the place of
 * everything but the head. Throws a user error where they are not to be had, or do not fit.
 */
export async function initialState(
  network: RunNetwork,
  seed: number,
  first: FirstWeights | undefined,
  locate: LocateWeights,
): Promise<StateDict> {
  const shapes = stateShapes(network.whole(1));
  const draws = withAdapterDraws(network.initialise);
  if (!first) return initialise(shapes, draws, seed);
  const { network: name, source, extraTensors: extra, positions } = first;
  const file = typeof source === 'string' ? source : await locate(name, source);
  const pretrained = await readWeights(file, stateShapes(network.stored(1)), {
    ignore: network.classifier,
    extra,
    positions,
    network: name,
  });
  const random = initialise(shapes, draws, seed, (tensor) => pretrained.has(tensor));
  return new Map(
    [...shapes.keys()].map((tensor) => [tensor, tensorOf(pretrained.has(tensor) ? pretrained : random, tensor)]),
  );
}

/** Draws adapters as peft does, whatever Linear they are beside: A by torch's default for a Linear, and B 0, so that they begin with no effect. */
export function withAdapterDraws(initialisation: Initialisation): Initialisation {
  return (name, shapes) => {
    if (!isAdapter(name)) return initialisation(name, shapes);
    return isSecondFactor(name) ? zeros : undefined;
  };
}
