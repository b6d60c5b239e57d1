import { adapterOptionsOf, type TrainingConfig } from '../../../protocol/trainingConfig.ts';
import { batchNormOf } from './runNetwork.ts';

/**
 * What a resume may do with a setting: `fixed` ones say what the saved weights, moments and place in the epoch mean, so
 * that it cannot change them; `learned` ones change what the run learns, and it may, which is said; `free` ones change
 * nothing of that, or are compared elsewhere, as network, classes and image size are.
 */
export const onResume = {
  $schema: 'free',
  version: 'free',
  recipe: 'free',
  data: 'free',
  network: 'free',
  classNames: 'free',
  imageSize: 'free',
  keepEpochs: 'free',
  tensorboard: 'free',
  engine: 'free',
  device: 'free',
  cacheMegabytes: 'free',
  pinnedImages: 'free',

  method: 'fixed',
  topTensors: 'fixed',
  loraRank: 'fixed',
  loraAlpha: 'fixed',
  hidden: 'fixed',
  optimizer: 'fixed',
  batchSize: 'fixed',
  emaDecay: 'fixed',
  layerDecay: 'fixed',
  unfreezeEpochs: 'fixed',
  startSize: 'fixed',
  sampling: 'fixed',
  seed: 'fixed',
  batchNorm: 'fixed',
  validShare: 'fixed',
  testShare: 'fixed',
  layout: 'fixed',

  epochs: 'learned',
  learningRate: 'learned',
  schedule: 'learned',
  warmupSteps: 'learned',
  stepEpochs: 'learned',
  stepFactor: 'learned',
  momentum: 'learned',
  weightDecay: 'learned',
  dropout: 'learned',
  dropPath: 'learned',
  minLearningRate: 'learned',
  labelSmoothing: 'learned',
  classWeights: 'learned',
  focalGamma: 'learned',
  mixup: 'learned',
  cutmix: 'learned',
  clipNorm: 'learned',
  augment: 'learned',
  randOps: 'learned',
  randMagnitude: 'learned',
  verticalFlip: 'learned',
  quarterTurns: 'learned',
  erase: 'learned',
  featureViews: 'learned',
  frozenPrecision: 'learned',
  resize: 'learned',
  fit: 'learned',
  interpolation: 'learned',
  earlyStop: 'learned',
  validateEvery: 'learned',
} as const satisfies Readonly<Record<keyof TrainingConfig, 'fixed' | 'learned' | 'free'>>;

type Use = (typeof onResume)[keyof typeof onResume];
type SettingsThat<Kind extends Use> = {
  [Setting in keyof typeof onResume]: (typeof onResume)[Setting] extends Kind ? Setting : never;
}[keyof typeof onResume];

function settingsThat<Kind extends Use>(kind: Kind): readonly SettingsThat<Kind>[] {
  const settings = Object.entries<Use>(onResume).filter(([, use]) => use === kind);
  return settings.map(([setting]) => setting as SettingsThat<Kind>);
}

export const fixedSettings = settingsThat('fixed');
export const learnedSettings = settingsThat('learned');

/** A configuration that says what a setting means where it leaves that out, so that both ways to say it are the same. */
export function withMeanings(config: TrainingConfig): TrainingConfig {
  const adapters = adapterOptionsOf(config);
  return {
    ...config,
    ...(config.method === 'lora' ? { loraRank: adapters.rank, loraAlpha: adapters.alpha } : {}),
    batchNorm: batchNormOf(config),
    earlyStop: config.earlyStop ?? 0,
  };
}
