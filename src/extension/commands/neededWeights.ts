import type { TrainingConfig } from '../../protocol/trainingConfig.ts';

/** The network whose pretrained weights a new run begins with; undefined for a run that needs none. */
export function neededWeights({ network, method }: TrainingConfig): string | undefined {
  const isNeeded = network.kind === 'architecture' && network.weights === undefined && method !== 'scratch';
  return isNeeded ? network.name : undefined;
}

/** The same training from random weights: settings that go with pretrained ones are left out. */
export function withoutPretrained(config: TrainingConfig): TrainingConfig {
  const needless = {
    topTensors: undefined,
    loraRank: undefined,
    loraAlpha: undefined,
    featureViews: undefined,
    batchNorm: undefined,
  };
  return { ...config, ...needless, method: 'scratch', frozenPrecision: 'float32' };
}
