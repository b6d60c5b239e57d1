import * as z from 'zod';
import { preprocessPresets } from '../../protocol/preprocessing.ts';
import type { NetworkOffer } from '../../protocol/serviceProtocol.ts';
import {
  methods,
  type TrainingConfig,
  type TrainingConfigInput,
  trainingConfigSchema,
} from '../../protocol/trainingConfig.ts';

export const presetNames = [
  'imagenet',
  'tf',
  'caffe-bgr',
] as const satisfies readonly (keyof typeof preprocessPresets)[];

/** What *Train Model* asks for; the last answers are kept under this form. */
export const trainingChoicesSchema = z.object({
  data: z.string(),
  network: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('architecture'), name: z.string(), pretrained: z.boolean() }),
    z.object({ kind: z.literal('backbone'), file: z.string(), preprocess: z.enum(presetNames) }),
  ]),
  method: z.enum(methods),
  topTensors: z.number().int().positive(),
  epochs: z.number().int().positive(),
  batchSize: z.number().int().positive(),
  balanced: z.boolean(),
  int8: z.boolean().default(false),
});
export type TrainingChoices = z.infer<typeof trainingChoicesSchema>;

/** Validation images whose five-crop prediction the panel shows as a run learns. */
const pinnedImages = 4;

/** The first answers that are offered: the last ones where they are still understood, else the settings'. */
export function firstChoices(
  kept: unknown,
  settings: { readonly defaultNetwork: string; readonly batchSize: number },
): TrainingChoices {
  const { defaultNetwork: name, batchSize } = settings;
  return (
    trainingChoicesSchema.safeParse(kept).data ?? {
      data: '',
      network: { kind: 'architecture', name, pretrained: true },
      method: 'head',
      topTensors: 4,
      epochs: 5,
      batchSize,
      balanced: false,
      int8: false,
    }
  );
}

/** The choices with what was ticked in the last question. */
export function withSettings(
  choices: TrainingChoices,
  { classWeights, frozenPrecision }: Pick<TrainingConfig, 'classWeights' | 'frozenPrecision'>,
): TrainingChoices {
  return { ...choices, balanced: classWeights === 'balanced', int8: frozenPrecision === 'int8' };
}

/** The methods that make sense for a network, the first of them where none was chosen. */
export function methodsFor(network: TrainingChoices['network']): readonly TrainingChoices['method'][] {
  if (network.kind === 'backbone') return ['head'];
  return network.pretrained ? methods : ['scratch'];
}

/** Whether layers stay as they are, which can then compute in 8 bits. */
export function freezesLayers(method: TrainingChoices['method']): boolean {
  return method === 'head' || method === 'top';
}

/** What each method is called, and what it does. */
export const methodTexts = {
  head: ['Head only', 'A new classifier on the frozen network. Quickest, and good with few images.'],
  full: ['Whole network', 'Everything trains on, from pretrained weights. Best with many images.'],
  top: ['Top tensors', 'The last tensors of the network train along with the new classifier.'],
  scratch: ['From scratch', 'Everything trains, from random weights.'],
} as const;

/** The configuration that the choices mean, with the settings of this machine. */
export function configFrom(
  choices: TrainingChoices,
  machine: Pick<TrainingConfigInput, 'engine' | 'device' | 'cacheMegabytes'>,
): TrainingConfig {
  const { data, network, method, topTensors, epochs, batchSize, balanced, int8 } = choices;
  return trainingConfigSchema.parse({
    data,
    network: networkFrom(network),
    method,
    ...(method === 'top' ? { topTensors } : {}),
    epochs,
    batchSize,
    classWeights: balanced ? 'balanced' : 'none',
    ...(int8 && freezesLayers(method) ? { frozenPrecision: 'int8' } : {}),
    pinnedImages,
    ...machine,
  });
}

function networkFrom(network: TrainingChoices['network']): TrainingConfigInput['network'] {
  if (network.kind === 'architecture') return { kind: 'architecture', name: network.name };
  const { scale, mean, std, channels } = preprocessPresets[network.preprocess];
  return {
    kind: 'backbone',
    file: network.file,
    preprocessing: { scale, mean: [...mean], std: [...std], channels },
  };
}

/** How a network is described in the list: size, accuracy, and what has to be downloaded. */
export function describeOffer({ parameters, top1, weightsBytes, weightsHere }: NetworkOffer): {
  readonly description: string;
  readonly detail: string;
} {
  const size = `${(parameters / 1e6).toFixed(1)} million parameters`;
  const accuracy = top1 === undefined ? [] : [`${(top1 * 100).toFixed(1)} % on ImageNet`];
  const megabytes = weightsBytes === undefined ? 0 : Math.max(1, Math.round(weightsBytes / 1e6));
  const download = weightsHere ? 'Pretrained weights are here.' : `${megabytes} MB of pretrained weights to download.`;
  return {
    description: [size, ...accuracy].join(' · '),
    detail: weightsBytes === undefined ? 'Has no pretrained weights: trains from scratch.' : download,
  };
}
