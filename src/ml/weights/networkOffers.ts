import { backboneNames } from '../../protocol/backboneNames.ts';
import type { BackboneOffer, NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { countParameters, listNetworks } from '../networks/registry.ts';
import { hasWeights, weightsBytes } from './locateWeights.ts';
import { namedBackbone } from './onnxBackbones.ts';

/** Every network by name, with what is published of its pretrained weights and whether they are at hand. */
export function offeredNetworks(weightsFolder?: string): NetworkOffer[] {
  return listNetworks().map(({ name, title, family, isTransformer, licence, weights: [weights] }) => {
    const common = { name, title, family, isTransformer, parameters: countParameters(name).parameters };
    if (!weights) return { ...common, weightsHere: false };
    return {
      ...common,
      ...(weights.top1 === undefined ? {} : { top1: weights.top1 / 100 }),
      ...(licence === undefined ? {} : { licence }),
      weightsBytes: weightsBytes(weights),
      weightsHere: hasWeights(weights, placesIn(weightsFolder)),
    };
  });
}

/** The ONNX files on the hub that have short names. */
export function offeredBackbones(weightsFolder?: string): BackboneOffer[] {
  return backboneNames.map((name) => {
    const backbone = namedBackbone(name);
    const { title, licence } = backbone;
    const weightsHere = hasWeights(backbone, placesIn(weightsFolder));
    return { name, title, licence, weightsBytes: weightsBytes(backbone), weightsHere };
  });
}

function placesIn(weightsFolder: string | undefined) {
  return weightsFolder === undefined ? {} : { weightsFolder };
}
