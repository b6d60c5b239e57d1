import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { type BackboneName, backboneNames, isBackboneName } from '../../protocol/backboneNames.ts';
import { userError } from '../../protocol/errors.ts';
import { type Preprocessing, presetConstants } from '../../protocol/preprocessing.ts';
import type { Pool } from '../../protocol/trainingConfig.ts';
import { nearNames } from '../networks/nearNames.ts';
import { type FilePin, hubSource, type WeightsSource } from '../networks/weightSets.ts';
import { locateFile } from './locateWeights.ts';
import type { WeightsFiles } from './unobtainable.ts';
import type { LocateOptions } from './weightsPlaces.ts';

/** An ONNX file on the hub that has a short name as a backbone. */
export interface OnnxBackbone {
  /** As people write it. */
  readonly title: string;
  /** Size of the file in units of 2^20 bytes. */
  readonly megabytes: number;
  readonly source: WeightsSource;
  readonly licence: string;
  readonly preprocessing: Preprocessing;
  /** For files that give tokens. */
  readonly pool?: Pool;
}

/** A file whose commit, hash and size are asked of the hub once, and kept, without `pin`. */
function onHub(name: string, repository: string, path: string, pin?: FilePin): WeightsSource {
  return hubSource(`${name}.onnx`, { repository, path }, pin);
}

const imagenet = { ...presetConstants('imagenet'), interpolation: 'bicubic', crop: 224 } as const;
const half = { ...imagenet, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
/** Mean and deviation of the images that CLIP was trained on: https://github.com/openai/CLIP. */
const clip = {
  ...imagenet,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

/**
 * Repositories, paths, commits, hashes and sizes: several public projects that pin these files name the same ones. Of
 * MobileNetV4's file only the hash of another precision was found, so the hub is asked for it. Pixels: the
 * `preprocessor_config.json` at these commits as such projects cite it; MobileNetV4's are those of timm's configuration.
 * Licences: those of the networks that were converted (facebook/dinov2, timm, google/siglip, openai/CLIP), since the
 * repositories of the conversions name none.
 */
const backbones: Readonly<Record<BackboneName, OnnxBackbone>> = {
  'dinov2-small': {
    title: 'DINOv2 small',
    megabytes: 84.4,
    source: onHub('dinov2-small', 'onnx-community/dinov2-small', 'onnx/model.onnx', {
      commit: '8b1f705a3a7f6f062f6bdd21986c1583d3ef105d',
      sha256: 'f22797eabf810a75e41de68d378541ebea372122b25c4ce3ef25ff618250c20a',
      bytes: 88_532_934,
    }),
    licence: 'apache-2.0',
    preprocessing: { ...imagenet, resize: 256 },
    pool: 'cls',
  },
  'dinov2-base': {
    title: 'DINOv2 base',
    megabytes: 330.6,
    source: onHub('dinov2-base', 'onnx-community/dinov2-base', 'onnx/model.onnx', {
      commit: '31ef06cac16d5d301c5930d147002a058c85a5e4',
      sha256: '320d1012a6fc65b101fc85ca30ee7a47b2e4f6a2e8bd78fb9d7036def0e30cb0',
      bytes: 346_627_111,
    }),
    licence: 'apache-2.0',
    preprocessing: { ...imagenet, resize: 256 },
    pool: 'cls',
  },
  'mobilenetv4-small': {
    title: 'MobileNetV4 conv small',
    megabytes: 14.4,
    source: onHub('mobilenetv4-small', 'onnx-community/mobilenetv4_conv_small.e2400_r224_in1k', 'onnx/model.onnx'),
    licence: 'apache-2.0',
    preprocessing: { ...imagenet, resize: 256 },
  },
  'siglip-base': {
    title: 'SigLIP base',
    megabytes: 354.6,
    source: onHub('siglip-base', 'Xenova/siglip-base-patch16-224', 'onnx/vision_model.onnx', {
      commit: '4649052661e53c7000355844105f8a1792088239',
      sha256: 'f89d41bac7f4d4b87e010a467d93f98689d708916ed22f5a07f96fdfa26f475f',
      bytes: 371_819_850,
    }),
    licence: 'apache-2.0',
    preprocessing: { ...half, fit: 'squash', resize: 224 },
  },
  'clip-base': {
    title: 'CLIP ViT-B/32',
    megabytes: 335.4,
    source: onHub('clip-base', 'Xenova/clip-vit-base-patch32', 'onnx/vision_model.onnx', {
      commit: 'd15189d7028b43f1d3e65039190477f6af591c2a',
      sha256: 'fd6e1402a588279d1723c7534d4bcba5bc0b14b47dfab0e46f8c47b8270d7d40',
      bytes: 351_685_709,
    }),
    licence: 'mit',
    preprocessing: { ...clip, resize: 224 },
  },
};

/** A backbone by its short name, and where its file comes from. */
export function namedBackbone(name: BackboneName): OnnxBackbone & WeightsFiles {
  const backbone = backbones[name];
  return { ...backbone, network: name, sources: [backbone.source] };
}

/** The backbone of a short name; undefined for a file, also one that lies under such a name. */
export function backboneOf(file: string): OnnxBackbone | undefined {
  return isBackboneName(file) && !existsSync(file) ? backbones[file] : undefined;
}

/** A wrong short name became a path. Throws a user error with the right ones; a path to an ONNX file that is missing is no such name. */
function refuseUnknownName(file: string): void {
  if (existsSync(file) || extname(file).toLowerCase() === '.onnx') return;
  const [near] = nearNames(basename(file), backboneNames);
  const hint = near === undefined ? '.' : `; did you mean ${near}?`;
  throw userError(
    `There is no file ${file}, and ${basename(file)} is not the short name of a backbone${hint} The short names are ${backboneNames.join(', ')}.`,
  );
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
 * `locateFile` does, and a user error where the file is not there and may have been meant as a short name.
 */
export async function locateBackbone<Given extends GivenBackbone>(
  given: Given,
  options: LocateOptions = {},
  asked: { readonly imageSize?: number | undefined; readonly resize?: number | undefined } = {},
): Promise<Given> {
  const known = backboneOf(given.file);
  if (!known) {
    refuseUnknownName(given.file);
    return given;
  }
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
