import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { isWeightSet } from '../../protocol/weightSet.ts';

/** Published weights: those of a network, and which set of them; its first where none is named. */
export interface PublishedWeights {
  readonly network: string;
  readonly set?: string;
}

/** The published weights that a new run begins with; undefined for a run that needs none. */
export function neededWeights({ network, method }: GivenConfig): PublishedWeights | undefined {
  if (network.kind === 'backbone' || method === 'scratch') return undefined;
  const { name, weights } = network;
  if (weights === undefined) return { network: name };
  return isWeightSet(weights) ? { network: name, set: weights } : undefined;
}

/** The same training from random weights: settings that go with pretrained ones are left out. */
export function withoutPretrained(config: GivenConfig): GivenConfig {
  const needless = {
    topTensors: undefined,
    loraRank: undefined,
    loraAlpha: undefined,
    featureViews: undefined,
    batchNorm: undefined,
  };
  return { ...config, ...needless, method: 'scratch', frozenPrecision: 'float32' };
}
