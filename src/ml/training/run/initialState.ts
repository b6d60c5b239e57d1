import type { TrainingConfig } from '../../../protocol/trainingConfig.ts';
import { isWeightSet } from '../../../protocol/weightSet.ts';
import type { StateDict } from '../../graph/tensor.ts';
import { namedNetwork } from '../../networks/registry.ts';
import { initialise, type Initialisation, zeros } from '../../networks/initialise.ts';
import { isSecondFactor } from '../../passes/lowRankAdapters.ts';
import { stateShapes } from '../../networks/stateShapes.ts';
import type { WeightsChoice } from '../../weights/pretrained.ts';
import { readWeights } from '../../weights/weightsFile.ts';
import type { RunNetwork } from './runNetwork.ts';

/**
 * The weights with which a new run begins: random ones by seed; for all methods but `scratch` those of a file in the
 * place of everything but the head. `locate` finds the file of a network by its name and that of a set of weights. Throws a user error where
 * there is none, or where it does not fit.
 */
export async function initialState(
  config: TrainingConfig,
  network: RunNetwork,
  locate: (network: string, choice: WeightsChoice) => Promise<string>,
): Promise<StateDict> {
  const shapes = stateShapes(network.whole(1));
  // An adapter begins with no effect.
  const draw: Initialisation = (name, all) => (isSecondFactor(name) ? zeros : network.initialise(name, all));
  const random = initialise(shapes, draw, config.seed);
  // An ONNX file has its weights in itself, and a head begins with random ones.
  if (config.network.kind === 'backbone' || config.method === 'scratch') return random;
  const { name, weights, hub: pin } = config.network;
  const file = weights === undefined || isWeightSet(weights) ? await locate(name, { set: weights, pin }) : weights;
  const { extraTensors: extra, positions } = namedNetwork(name, pin);
  const pretrained = await readWeights(file, stateShapes(network.stored(1)), {
    ignore: network.classifier,
    extra,
    positions,
    network: name,
  });
  return new Map([...random].map(([tensor, value]) => [tensor, pretrained.get(tensor) ?? value]));
}
