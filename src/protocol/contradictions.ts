import { type GivenConfig, givenConfigSchema } from './trainingConfig.ts';

type Setting = keyof GivenConfig;
/** Settings of which some may not be known yet. */
type SomeSettings = Pick<GivenConfig, 'validShare' | 'testShare'> & Partial<GivenConfig>;

/** Settings that cannot be meant together. */
export interface Contradiction {
  readonly settings: readonly Setting[];
  /** What is wrong, and what to change. */
  readonly sentence: string;
}

interface Rule {
  readonly settings: readonly Setting[];
  /** The sentence where the settings contradict each other. */
  readonly sentence: (config: SomeSettings) => string | undefined;
}

/** A setting that does something with one value of another alone. */
interface Need {
  readonly setting: Setting;
  readonly flag: string;
  readonly only: 'method' | 'schedule' | 'optimizer' | 'augment';
  readonly value: string;
}

const needs: readonly Need[] = [
  { setting: 'topTensors', flag: '--top-tensors', only: 'method', value: 'top' },
  { setting: 'loraRank', flag: '--lora-rank', only: 'method', value: 'lora' },
  { setting: 'loraAlpha', flag: '--lora-alpha', only: 'method', value: 'lora' },
  { setting: 'minLearningRate', flag: '--min-lr', only: 'schedule', value: 'cosine' },
  { setting: 'stepEpochs', flag: '--step-epochs', only: 'schedule', value: 'step' },
  { setting: 'stepFactor', flag: '--step-factor', only: 'schedule', value: 'step' },
  { setting: 'momentum', flag: '--momentum', only: 'optimizer', value: 'sgd' },
  { setting: 'randOps', flag: '--rand-ops', only: 'augment', value: 'rand' },
  { setting: 'randMagnitude', flag: '--rand-magnitude', only: 'augment', value: 'rand' },
];

const defaults: Readonly<Record<string, unknown>> = givenConfigSchema.parse({
  data: '.',
  network: { kind: 'architecture', name: 'any' },
});

/** Files and records have every setting, so that one at its default counts as not given. */
function isGiven(config: SomeSettings, setting: Setting): boolean {
  return config[setting] !== undefined && config[setting] !== defaults[setting];
}

const onlyWith = ({ setting, flag, only, value }: Need): Rule => ({
  settings: [setting, only],
  sentence: (config) =>
    isGiven(config, setting) && config[only] !== value
      ? `${setting} (${flag}) can only be used with the ${wordFor[only]} ${value}, not with ${config[only] ?? 'another'}: leave it out, or take --${only} ${value}.`
      : undefined,
});
const wordFor = { method: 'method', schedule: 'schedule', optimizer: 'optimizer', augment: 'augmentation' };

const rules: readonly Rule[] = [
  {
    settings: ['validShare', 'testShare'],
    sentence: ({ validShare, testShare }) =>
      validShare + testShare >= 1
        ? `validShare ${validShare} and testShare ${testShare} (--valid-share, --test-share) leave nothing to train on: lower them, so that their sum is below 1.`
        : undefined,
  },
  ...needs.map(onlyWith),
  {
    settings: ['minLearningRate', 'learningRate'],
    sentence: ({ learningRate, minLearningRate = 0 }) =>
      typeof learningRate === 'number' && minLearningRate > learningRate
        ? `minLearningRate ${minLearningRate} (--min-lr) is above learningRate ${learningRate} (--lr), from which the rate falls: take less.`
        : undefined,
  },
  {
    settings: ['sampling', 'classWeights'],
    sentence: ({ sampling, classWeights }) =>
      sampling === 'balanced' && classWeights === 'balanced'
        ? 'sampling balanced (--sampling) and classWeights balanced (--class-weights) would count small classes twice: leave one out.'
        : undefined,
  },
  {
    settings: ['layerDecay', 'unfreezeEpochs', 'method'],
    sentence: ({ method, layerDecay = 1, unfreezeEpochs = 0 }) =>
      method === 'head' && (layerDecay < 1 || unfreezeEpochs > 0)
        ? 'layerDecay and unfreezeEpochs (--layer-decay, --unfreeze-epochs) are for layers before the head, and with the method head none of them trains: leave them out, or take --method full.'
        : undefined,
  },
  {
    settings: ['unfreezeEpochs', 'method'],
    sentence: ({ method, unfreezeEpochs = 0 }) =>
      method === 'scratch' && unfreezeEpochs > 0
        ? 'unfreezeEpochs (--unfreeze-epochs) would keep random weights as they are: leave it out, or take --method full.'
        : undefined,
  },
  {
    settings: ['network', 'method'],
    sentence: ({ method, network }) =>
      method === 'scratch' && network?.kind === 'architecture' && network.weights !== undefined
        ? 'weights (--weights) are what pretrained layers begin with, and with the method scratch all begin with random ones: leave them out, or take --method full.'
        : undefined,
  },
  {
    settings: ['network', 'method'],
    sentence: ({ method = 'head', network }) =>
      network?.kind === 'backbone' && method !== 'head'
        ? `An ONNX backbone is frozen, so the method ${method} is not possible: take --method head.`
        : undefined,
  },
  {
    settings: ['featureViews', 'mixup', 'cutmix'],
    sentence: ({ featureViews, mixup = 0, cutmix = 0 }) =>
      featureViews !== undefined && (mixup > 0 || cutmix > 0)
        ? 'mixup and cutmix mix other images with each other in every epoch, so nothing can be kept of them: leave out featureViews (--feature-views), or both.'
        : undefined,
  },
  {
    settings: ['featureViews', 'augment', 'verticalFlip', 'quarterTurns', 'erase'],
    sentence: ({ featureViews = 1, augment, verticalFlip = false, quarterTurns = false, erase = 0 }) =>
      featureViews > 1 && augment === 'none' && !verticalFlip && !quarterTurns && erase === 0
        ? `featureViews ${featureViews} (--feature-views) asks for different views of each image, and with augment none (--augment) all are the same: leave one out.`
        : undefined,
  },
  {
    settings: ['featureViews', 'batchNorm'],
    sentence: ({ featureViews, batchNorm }) =>
      featureViews !== undefined && batchNorm === 'batch'
        ? 'featureViews (--feature-views) keeps what frozen layers make of the images, and with batchNorm batch (--batch-norm) that changes with every batch: leave one out.'
        : undefined,
  },
  {
    settings: ['batchSize', 'mixup', 'cutmix'],
    sentence: ({ batchSize, mixup = 0, cutmix = 0 }) =>
      batchSize === 1 && (mixup > 0 || cutmix > 0)
        ? 'mixup and cutmix (--mixup, --cutmix) mix the images of a batch with each other, and a batchSize of 1 (--batch-size) has no other: leave them out, or take a larger batch.'
        : undefined,
  },
  {
    settings: ['startSize', 'epochs'],
    sentence: ({ startSize, epochs }) =>
      startSize !== undefined && epochs === 1
        ? 'startSize (--start-size) lets images grow from epoch to epoch, and there is only one: leave it out, or take more epochs.'
        : undefined,
  },
  {
    settings: ['fit', 'resize'],
    sentence: ({ fit = 'crop', resize }) =>
      fit !== 'crop' && resize !== undefined
        ? `resize (--resize) can only be used with the fit crop, as with ${fit} the whole image becomes the square: leave it out, or set imageSize (--image-size).`
        : undefined,
  },
];

/** The first settings of a configuration that cannot be meant together; undefined where all can. */
export function findContradiction(config: SomeSettings): Contradiction | undefined {
  for (const { settings, sentence } of rules) {
    const found = sentence(config);
    if (found !== undefined) return { settings, sentence: found };
  }
  return undefined;
}

/** What of a configuration cannot be meant, in a sentence that says what to change; undefined where all can. */
export function contradictionIn(config: SomeSettings): string | undefined {
  return findContradiction(config)?.sentence;
}

/** The same for a run that goes on: the first that it had not already, as one that began before a rule was made may. */
export function newContradiction(config: SomeSettings, before: SomeSettings): string | undefined {
  const broken = rules.find(({ sentence }) => sentence(config) !== undefined && sentence(before) === undefined);
  return broken?.sentence(config);
}
