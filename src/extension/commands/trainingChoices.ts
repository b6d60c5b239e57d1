import * as l10n from '@vscode/l10n';
import * as z from 'zod';
import { preprocessPresets } from '../../protocol/preprocessing.ts';
import { withRecipe } from '../../protocol/recipes.ts';
import {
  methods,
  type GivenConfig,
  givenConfigSchema,
  recipeNames,
  type TrainingConfigInput,
  trainingConfigSchema,
} from '../../protocol/trainingConfig.ts';

export const presetNames = [
  'imagenet',
  'tf',
  'caffe-bgr',
] as const satisfies readonly (keyof typeof preprocessPresets)[];

/** Settings that suit small drawn pictures, from the file that lies in the sample data set. */
const sampleSettingsSchema = trainingConfigSchema.pick({ imageSize: true, resize: true, hidden: true, schedule: true });

/** What *Train Model* asks for; the last answers are kept under this form. */
export const trainingChoicesSchema = z.object({
  data: z.string(),
  network: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('architecture'),
      name: z.string(),
      pretrained: z.boolean(),
      /** Whether it is known to be one, so that adapters are offered. */
      isTransformer: z.boolean().default(false),
    }),
    z.object({
      kind: z.literal('backbone'),
      /** Its path, or a short name, which says how its pixels are prepared. */
      file: z.string(),
      preprocess: z.enum(presetNames).optional(),
    }),
  ]),
  /** Whether method, epochs and the rest were asked for (`report`), or come with what was suggested. */
  recipe: z.enum(recipeNames).default('report'),
  method: z.enum(methods),
  topTensors: z.number().int().positive(),
  epochs: z.number().int().positive(),
  batchSize: z.number().int().positive(),
  balanced: z.boolean(),
  int8: z.boolean().default(false),
  /** Only where the data is a sample that Fivecrop drew; counts for what trains from scratch. */
  sample: sampleSettingsSchema.optional(),
});
export type TrainingChoices = z.infer<typeof trainingChoicesSchema>;

/** The settings from which the first answers come. */
export type FirstSettings = { readonly defaultNetwork: string; readonly batchSize: number };
/** The settings that go into every configuration. */
export type MachineSettings = Pick<GivenConfig, 'engine' | 'device' | 'cacheMegabytes'>;

/** Validation images whose five-crop prediction the panel shows as a run learns. */
const pinnedImages = 4;

/** The answers that are offered where nothing is known of the user's. */
function newChoices({ defaultNetwork: name, batchSize }: FirstSettings): TrainingChoices {
  return {
    data: '',
    network: { kind: 'architecture', name, pretrained: true, isTransformer: false },
    recipe: 'report',
    method: 'head',
    topTensors: 4,
    epochs: 5,
    batchSize,
    balanced: false,
    int8: false,
  };
}

/** The first answers that are offered: the last ones where they are still understood, else the settings'. */
export function firstChoices(kept: unknown, settings: FirstSettings): TrainingChoices {
  return trainingChoicesSchema.safeParse(kept).data ?? newChoices(settings);
}

/**
 * The answers that are offered for a folder: the last ones if they were for it; for a sample that Fivecrop drew what its
 * file of settings says. What suited a sample is not offered for anything else.
 */
export function choicesFor(
  data: string,
  last: TrainingChoices,
  sample: GivenConfig | undefined,
  settings: FirstSettings,
): TrainingChoices {
  if (last.data === data) return last;
  if (sample?.network.kind === 'architecture') {
    const { network, method, epochs } = sample;
    const batchSize = sample.batchSize === 'auto' ? settings.batchSize : sample.batchSize;
    const { kind, name } = network;
    const own = { network: { kind, name, pretrained: false, isTransformer: false }, method, epochs, batchSize };
    return { ...newChoices(settings), data, ...own, sample: sampleSettingsSchema.parse(sampleSettingsOf(sample)) };
  }
  return { ...(last.sample === undefined ? last : newChoices(settings)), data };
}

function sampleSettingsOf({ imageSize, resize, hidden, schedule }: GivenConfig) {
  return { imageSize, resize, hidden, schedule };
}

/** The choices with what was changed in the last question. */
export function withSettings(
  choices: TrainingChoices,
  { classWeights, frozenPrecision, method }: Pick<GivenConfig, 'classWeights' | 'frozenPrecision' | 'method'>,
): TrainingChoices {
  // Without its pretrained weights a training that was suggested is another one.
  const recipe = method === choices.method ? choices.recipe : 'report';
  return { ...choices, recipe, method, balanced: classWeights === 'balanced', int8: frozenPrecision === 'int8' };
}

/** The methods that make sense for a network, the first of them where none was chosen. */
export function methodsFor(network: TrainingChoices['network']): readonly TrainingChoices['method'][] {
  if (network.kind === 'backbone') return ['head'];
  if (!network.pretrained) return ['scratch'];
  return network.isTransformer ? methods : methods.filter((method) => method !== 'lora');
}

/** The choices with a network, by a method that it can be trained by. */
export function withNetwork(choices: TrainingChoices, network: TrainingChoices['network']): TrainingChoices {
  const methods = methodsFor(network);
  const method = methods.includes(choices.method) ? choices.method : (methods[0] ?? 'head');
  return { ...choices, network, recipe: 'report', method };
}

/** Whether layers stay as they are, which can then compute in 8 bits. */
export function freezesLayers(method: TrainingChoices['method']): boolean {
  return method === 'head' || method === 'top';
}

/** What each method is called, and what it does. */
export const methodTexts = {
  head: [l10n.t('Head only'), l10n.t('A new classifier on the frozen network. Quickest, and good with few images.')],
  full: [l10n.t('Whole network'), l10n.t('Everything trains, from pretrained weights. Best with many images.')],
  top: [l10n.t('Top tensors'), l10n.t('The last tensors of the network train along with the new classifier.')],
  lora: [
    l10n.t('Adapters'),
    l10n.t('Small adapters beside the layers of a transformer train along with the new classifier.'),
  ],
  scratch: [l10n.t('From scratch'), l10n.t('Everything trains, from random weights.')],
} as const;

/** The configuration that the choices mean, with the settings of this machine. */
export function configFrom(choices: TrainingChoices, { engine, device, cacheMegabytes }: MachineSettings): GivenConfig {
  const { data, network, recipe, method, topTensors, epochs, batchSize, balanced, int8, sample } = choices;
  const settings = {
    data,
    network: networkFrom(network),
    method,
    ...(method === 'top' ? { topTensors } : {}),
    ...(recipe === 'report' ? { epochs } : { recipe }),
    batchSize,
    classWeights: balanced ? 'balanced' : 'none',
    ...(int8 && freezesLayers(method) ? { frozenPrecision: 'int8' } : {}),
    ...(method === 'scratch' ? sample : {}),
    pinnedImages,
    engine,
    device,
    cacheMegabytes,
  };
  return givenConfigSchema.parse(withRecipe(settings));
}

function networkFrom(network: TrainingChoices['network']): TrainingConfigInput['network'] {
  if (network.kind === 'architecture') return { kind: 'architecture', name: network.name };
  const { kind, file, preprocess } = network;
  if (preprocess === undefined) return { kind, file };
  const { scale, mean, std, channels } = preprocessPresets[preprocess];
  return {
    kind,
    file,
    preprocessing: { scale, mean: [...mean], std: [...std], channels },
  };
}
