import { existsSync } from 'node:fs';
import { type Preprocessing, presetConstants } from '../../protocol/preprocessing.ts';
import type { Pool } from '../../protocol/trainingConfig.ts';
import type { WeightsSource } from '../networks/pretrainedWeights.ts';
import { locateFile } from './pretrained.ts';
import type { LocateOptions } from './weightsPlaces.ts';

/** An ONNX file on the hub that has a short name as a backbone. */
export interface OnnxBackbone {
  readonly source: WeightsSource;
  readonly licence: string;
  readonly preprocessing: Preprocessing;
  /** For files that give tokens. */
  readonly pool?: Pool;
}

/** A file of a repository; its commit and hash are asked of the hub once, and kept. */
function onHub(name: string, repository: string, path: string): WeightsSource {
  const url = `https://huggingface.co/${repository}/resolve/main/${path}`;
  return { file: `${name}.onnx`, url, hub: { repository, path } };
}

const imagenet = { ...presetConstants('imagenet'), interpolation: 'bicubic', crop: 224 } as const;
const half = { ...imagenet, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
/** Mean and deviation of the images that CLIP was trained on: https://github.com/openai/CLIP. */
const clip = {
  ...imagenet,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

/** What each page on the hub, and the file `preprocessor_config.json` there, says. */
const backbones: Readonly<Record<string, OnnxBackbone>> = {
  'dinov2-small': {
    source: onHub('dinov2-small', 'onnx-community/dinov2-small', 'onnx/model.onnx'),
    licence: 'apache-2.0',
    preprocessing: { ...imagenet, resize: 256 },
    pool: 'cls',
  },
  'dinov2-base': {
    source: onHub('dinov2-base', 'onnx-community/dinov2-base', 'onnx/model.onnx'),
    licence: 'apache-2.0',
    preprocessing: { ...imagenet, resize: 256 },
    pool: 'cls',
  },
  'mobilenetv4-small': {
    source: onHub('mobilenetv4-small', 'onnx-community/mobilenetv4_conv_small.e2400_r224_in1k', 'onnx/model.onnx'),
    licence: 'apache-2.0',
    preprocessing: { ...imagenet, resize: 256 },
  },
  'siglip-base': {
    source: onHub('siglip-base', 'Xenova/siglip-base-patch16-224', 'onnx/vision_model.onnx'),
    licence: 'apache-2.0',
    preprocessing: { ...half, fit: 'squash', resize: 224 },
  },
  'clip-base': {
    source: onHub('clip-base', 'Xenova/clip-vit-base-patch32', 'onnx/vision_model.onnx'),
    licence: 'mit',
    preprocessing: { ...clip, resize: 224 },
  },
};

export const backboneNames: readonly string[] = Object.keys(backbones);

/** The backbone of a short name; undefined for a file, also one that lies under such a name. */
export function backboneOf(file: string): OnnxBackbone | undefined {
  return Object.hasOwn(backbones, file) && !existsSync(file) ? backbones[file] : undefined;
}

/** A backbone as settings name it: a file or a short name, and what is said of it. */
export interface GivenBackbone {
  readonly file: string;
  readonly preprocessing?: TrainingPreprocessing | undefined;
  readonly pool?: Pool | undefined;
  readonly licence?: string | undefined;
}

/** What settings say of a preprocessing; what they do not say may be there as undefined. */
type TrainingPreprocessing = { readonly [Key in keyof Preprocessing]?: Preprocessing[Key] | undefined };

/**
 * What `given` means, where its file is a short name: the file, fetched if need be, and what its table says where `given`
 * says nothing. Sizes of images that `asked` names take the place of the table's. Any other as it is. Throws as
 * `locateFile` does.
 */
export async function locateBackbone<Given extends GivenBackbone>(
  given: Given,
  options: LocateOptions = {},
  asked: { readonly imageSize?: number | undefined; readonly resize?: number | undefined } = {},
): Promise<Given> {
  const known = backboneOf(given.file);
  if (!known) return given;
  const file = await locateFile({ network: given.file, sources: [known.source] }, options);
  const { licence, pool, preprocessing } = known;
  const { resize, crop, ...constants } = preprocessing;
  const sizes = asked.imageSize === undefined ? { crop, ...(asked.resize === undefined ? { resize } : {}) } : {};
  return {
    licence,
    ...(pool === undefined ? {} : { pool }),
    ...given,
    file,
    preprocessing: { ...constants, ...sizes, ...given.preprocessing },
  };
}
