import type { NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { countParameters, listNetworks } from '../networks/registry.ts';
import { hasWeights, weightsBytes } from './locateWeights.ts';

/** Every network by name, with what is published of its pretrained weights and whether they are at hand. */
export function offeredNetworks(weightsFolder?: string): NetworkOffer[] {
  const places = weightsFolder === undefined ? {} : { weightsFolder };
  return listNetworks().map(({ name, title, family, licence, weights: [weights] }) => {
    const common = { name, title, family, parameters: countParameters(name).parameters };
    if (!weights) return { ...common, weightsHere: false };
    return {
      ...common,
      ...(weights.top1 === undefined ? {} : { top1: weights.top1 / 100 }),
      ...(licence === undefined ? {} : { licence }),
      weightsBytes: weightsBytes(weights),
      weightsHere: hasWeights(weights, places),
    };
  });
}
