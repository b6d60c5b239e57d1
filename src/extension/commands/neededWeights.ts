import { isBackboneName } from '../../protocol/backboneNames.ts';
import type { PublishedWeights } from '../../protocol/serviceProtocol.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { isWeightSet } from '../../protocol/weightSetName.ts';

/** The published weights that a new run begins with; undefined for a run that needs none. */
export function neededWeights({ network, method }: GivenConfig): PublishedWeights | undefined {
  if (method === 'scratch') return undefined;
  if (network.kind === 'backbone') {
    const { kind, file } = network;
    return isBackboneName(file) ? { kind, name: file } : undefined;
  }
  const { kind, name, weights, hub } = network;
  const fixed = hub === undefined ? {} : { hub };
  if (weights === undefined) return { kind, name, ...fixed };
  return isWeightSet(weights) ? { kind, name, set: weights, ...fixed } : undefined;
}

/** The same training from random weights: settings that go with pretrained ones are left out. */
export function withoutPretrained(config: GivenConfig): GivenConfig {
  const needless = {
    topTensors: undefined,
    loraRank: undefined,
    loraAlpha: undefined,
    featureViews: undefined,
    batchNorm: undefined,
    unfreezeEpochs: 0,
  };
  const { network } = config;
  const begun = network.kind === 'architecture' ? { network: { ...network, weights: undefined } } : {};
  return { ...config, ...needless, ...begun, method: 'scratch', frozenPrecision: 'float32' };
}
