import { type Interpolation, interpolations, type Preprocessing } from '../../protocol/preprocessing.ts';
import type { HubPin, TimmConfig } from '../../protocol/timmConfig.ts';
import type { Variant } from './family.ts';
import { type FilePin, hubSource, type WeightSet, type WeightsSource } from './weightSets.ts';
import { supportedPool } from './timmArguments.ts';

/** What the names of networks begin with that are built, named and published as timm does it: `timm/NAME.TAG`. */
export const timmPrefix = 'timm/';

/** A network of timm as a family builds it; its weights are told apart by the tag in its name, and are added to it. */
export type TimmNetwork = Omit<Variant, 'weights'>;

/** A network of timm in a family's table. */
export interface TimmRow {
  readonly config: TimmConfig;
  /** Accuracy on ImageNet's validation set, one centre crop, in percent; absent where the network has no such classes. */
  readonly top1?: number;
  /** Size of the file in units of 2^20 bytes. */
  readonly megabytes: number;
  /**
   * Commit, hash and size of the file, where several public projects pin it so; without it they are asked of the hub, and
   * kept.
   */
  readonly pin?: FilePin;
  /** Side in pixels of the images that it is used with, where that is not what its weights were trained with. */
  readonly side?: number;
}

/** What a table says of a network; the rest of its configuration is as most have it. */
interface ConfigFacts {
  /** 1000 without it. */
  readonly classes?: number;
  readonly features: number;
  /** Side of the images in pixels; 224 without it. */
  readonly size?: number;
  /** What share of the resized image's side the crop has; 0.875 without it. */
  readonly crop?: number;
  readonly cropMode?: string;
  /** Mean and standard deviation of each channel, where they are not ImageNet's. */
  readonly mean?: number;
  readonly std?: number;
  /** `bicubic` without it. */
  readonly interpolation?: Interpolation;
  readonly licence?: string;
  readonly pool?: string;
  readonly args?: TimmConfig['model_args'];
}

/** The configuration of a network as its `config.json` on the hub says it, from what sets it apart. */
export function timmConfig(architecture: string, facts: ConfigFacts): TimmConfig {
  const { classes = 1000, features, size = 224, crop = defaultCrop, interpolation = 'bicubic' } = facts;
  const { mean, std, licence = 'apache-2.0', pool, args, cropMode } = facts;
  const three = (value: number): [number, number, number] => [value, value, value];
  return {
    architecture,
    num_classes: classes,
    num_features: features,
    ...(pool === undefined ? {} : { global_pool: pool }),
    ...(args === undefined ? {} : { model_args: args }),
    pretrained_cfg: {
      input_size: [3, size, size],
      interpolation,
      crop_pct: crop,
      ...(cropMode === undefined ? {} : { crop_mode: cropMode }),
      ...(mean === undefined ? {} : { mean: three(mean) }),
      ...(std === undefined ? {} : { std: three(std) }),
      license: licence,
    },
  };
}

const defaultCrop = 0.875;
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * How images are prepared as timm does it to test (`resolve_data_config`, `transforms_imagenet_eval`): the short side
 * becomes floor(size / crop_pct), and the centre is cut out. `side` takes the place of the configuration's size. Throws
 * `RangeError`, a clause, for what cannot be prepared so.
 */
export function timmPreprocessing(
  { pretrained_cfg: said }: Pick<TimmConfig, 'pretrained_cfg'>,
  side?: number,
): Preprocessing {
  const [, height, width] = said.input_size;
  if (height !== width) throw new RangeError(`it takes images of ${width} x ${height} pixels, which are not square`);
  const crop = side ?? height;
  const resize = Math.floor(crop / (said.crop_pct ?? defaultCrop));
  const mode = said.crop_mode ?? 'center';
  // Timm cuts a squashed image where it is larger than the crop; `squash` makes it as large.
  const isSquashed = mode === 'squash' && resize === crop;
  if (mode !== 'center' && !isSquashed) {
    throw new RangeError(
      `its images are cut by the mode ${mode} from ${resize} to ${crop} pixels, which is not supported`,
    );
  }
  return {
    resize,
    crop,
    ...(isSquashed ? { fit: 'squash' as const } : {}),
    interpolation: interpolationOf(said.interpolation ?? 'bicubic'),
    scale: 1 / 255,
    mean: [...(said.mean ?? imagenet.mean)],
    std: [...(said.std ?? imagenet.std)],
    channels: 'rgb',
  };
}

/**
 * What a `config.json` says of the images that are prepared so: the inverse of `timmPreprocessing`. Throws `RangeError`, a
 * clause, for what timm does not do.
 */
export function timmPixels(preprocessing: Preprocessing): TimmPixels {
  const { resize, crop, fit = 'crop', interpolation = 'bilinear', scale, mean, std, channels } = preprocessing;
  if (channels === 'bgr') throw new RangeError('its images have blue ahead of red');
  if (fit === 'pad') throw new RangeError('its images are padded with black');
  if (resize < crop) throw new RangeError(`its images are resized to ${resize} pixels, less than its crop of ${crop}`);
  const levels = 255 * scale;
  const share = crop / resize;
  return {
    input_size: [3, crop, crop],
    interpolation,
    // Where the quotient is rounded so that timm finds a size less by one, a size more by a half does not.
    crop_pct: Math.floor(crop / share) === resize ? share : crop / (resize + 0.5),
    crop_mode: fit === 'squash' ? 'squash' : 'center',
    mean: eachOf(mean, (value) => value / levels),
    std: eachOf(std, (value) => value / levels),
  };
}

/** The part of `pretrained_cfg` that says how images are prepared. */
interface TimmPixels {
  readonly input_size: [3, number, number];
  readonly interpolation: Interpolation;
  readonly crop_pct: number;
  readonly crop_mode: string;
  readonly mean: [number, number, number];
  readonly std: [number, number, number];
}

function eachOf(
  [red = 0, green = 0, blue = 0]: readonly number[],
  value: (of: number) => number,
): [number, number, number] {
  return [value(red), value(green), value(blue)];
}

function interpolationOf(name: string): Interpolation {
  const known = interpolations.find((interpolation) => interpolation === name);
  if (known) return known;
  throw new RangeError(`its images are resized by ${name}, and only ${interpolations.join(' and ')} are supported`);
}

/** The tag of a name, which tells apart the weights of one architecture: `lvd142m` of `timm/vit_small_patch14_dinov2.lvd142m`. */
function tagOf(name: string): string {
  const [, ...tag] = name.split('.');
  return tag.length > 0 ? tag.join('.') : 'default';
}

/** The file of weights that the hub has under a network's name, its tensors as timm names them. */
export function timmSource(name: string, pin?: FilePin): WeightsSource {
  const file = `${name.slice(timmPrefix.length)}.safetensors`;
  return hubSource(file, { repository: name, path: 'model.safetensors' }, pin);
}

/** The weights that the hub has under a network's name. */
export function timmWeights(
  name: string,
  row: Omit<TimmRow, 'megabytes'> & { readonly megabytes?: number },
): WeightSet {
  const { config, top1, pin, side, megabytes = (pin?.bytes ?? 0) / 2 ** 20 } = row;
  const licence = config.pretrained_cfg.license ?? undefined;
  return {
    name: tagOf(name),
    ...(top1 === undefined ? {} : { top1 }),
    ...(licence === undefined ? {} : { licence }),
    megabytes,
    preprocessing: timmPreprocessing(config, side),
    sources: [timmSource(name, pin)],
  };
}

/** A set of weights of timm as `pin` fixes it. */
export function pinnedWeights(name: string, set: WeightSet, pin: HubPin): WeightSet {
  const { licence = set.licence } = pin;
  return { ...set, ...(licence === undefined ? {} : { licence }), sources: [timmSource(name, pin)] };
}

/**
 * Variants by their names, `timm/NAME.TAG`, of a table of networks: each is built by what its family makes of its
 * configuration.
 */
export function timmVariants(
  rows: Readonly<Record<`timm/${string}`, TimmRow>>,
  build: (config: TimmConfig) => TimmNetwork | undefined,
): Record<string, Variant> {
  return Object.fromEntries(
    Object.entries(rows).map(([name, row]): [string, Variant] => {
      const { config } = row;
      const network = build(config);
      if (!network) throw new Error(`${name} is in the table of a family that does not build it`);
      return [name, { classes: config.num_classes, ...network, timm: config, weights: [timmWeights(name, row)] }];
    }),
  );
}

/**
 * `fromTimm` of a family whose networks timm builds alike under the same names, with the same names of tensors. Arguments
 * that change the network are refused.
 */
export function builtAlike(
  variants: Readonly<Record<string, Variant>>,
): (config: TimmConfig) => TimmNetwork | undefined {
  return (config) => {
    const { architecture } = config;
    const variant = Object.hasOwn(variants, architecture) ? variants[architecture] : undefined;
    if (!variant) return undefined;
    refuseArguments(config);
    supportedPool(config, ['avg']);
    const { title, features, build } = variant;
    return { title, features, build };
  };
}

/** Arguments of timm's constructors that do not change what is built here. */
const withoutMeaning = ['num_classes', 'in_chans', 'drop_rate', 'drop_path_rate', 'img_size', 'pretrained'];

/** Throws `RangeError`, a clause, where a configuration has arguments that change what is built. */
export function refuseArguments({ model_args: given }: TimmConfig): void {
  const other = Object.keys(given ?? {}).filter((name) => !withoutMeaning.includes(name));
  if (other.length > 0) throw new RangeError(`it is built with ${other.join(', ')}, which is not supported`);
}
