import { type Interpolation, type Preprocessing, presetConstants } from '../../protocol/preprocessing.ts';
import type { HubPin } from '../../protocol/timmConfig.ts';

/** A file of pretrained weights somewhere in the world, and how it is recognised. */
export interface WeightsSource {
  /** Name under which it lies in the cache, in a mirror, or where a user puts it. */
  readonly file: string;
  readonly url: string;
  /** sha256 in hex, or the first digits of it where no more is published; absent where the hub has to be asked for it. */
  readonly sha256?: string;
  readonly bytes?: number;
  /** Where it lies on the hub, for a file whose hash is asked for there. */
  readonly hub?: HubPlace;
}

/** A file of a repository on the hub. */
export interface HubPlace {
  /** `timm/mobilenetv4_conv_small.e2400_r224_in1k`. */
  readonly repository: string;
  /** `model.safetensors`. */
  readonly path: string;
  /** The newest one where none is named. */
  readonly commit?: string;
}

/** Commit, hash and size of a file on the hub. */
export type FilePin = Omit<HubPin, 'config' | 'licence'>;

/** A set of weights that was trained on many images, as torchvision or timm publishes it. */
export interface WeightSet {
  /** torchvision's name, `IMAGENET1K_V1`, or timm's tag. */
  readonly name: string;
  /** Accuracy on ImageNet's validation set, one centre crop, in percent; absent where the weights have not its classes. */
  readonly top1?: number;
  /** Size of torch's file in units of 2^20 bytes. */
  readonly megabytes: number;
  /** What its images have to be for that accuracy. */
  readonly preprocessing: Preprocessing;
  /** By its SPDX name, where it is not that of the family's other sets. */
  readonly licence?: string;
  /** In the order in which they are tried. */
  readonly sources: readonly WeightsSource[];
}

/** A set of weights with the name of the network that it is for. */
export interface PretrainedWeights extends WeightSet {
  readonly network: string;
}

/** Side in pixels of the images that most networks were trained with. */
export const usualSize = 224;

interface ImagenetPixels {
  readonly resize?: number;
  readonly crop?: number;
  readonly interpolation?: Interpolation;
}

/** The preprocessing of most sets: short side 256, a crop of 224, bilinear, ImageNet's mean and deviation. */
export function imagenetPixels({ resize = 256, crop = usualSize, interpolation }: ImagenetPixels = {}): Preprocessing {
  return { resize, crop, ...(interpolation ? { interpolation } : {}), ...presetConstants('imagenet') };
}

/** torchvision's own file; its name carries the first 8 or 10 hex digits of its sha256. */
export function torchFile(network: string, sha256: string): WeightsSource {
  const file = `${network}-${sha256}.pth`;
  return { file, url: `https://download.pytorch.org/models/${file}`, sha256 };
}

function hubUrl(repository: string, revision: string, path: string): string {
  return `https://huggingface.co/${repository}/resolve/${revision}/${path}`;
}

/** A file on the hub as `pin` fixes it; the newest one, whose hash is asked for there, without it. */
export function hubSource(
  file: string,
  { repository, path }: Omit<HubPlace, 'commit'>,
  pin?: FilePin,
): WeightsSource & { readonly hub: HubPlace } {
  const { commit } = pin ?? {};
  return {
    file,
    url: hubUrl(repository, commit ?? 'main', path),
    ...(pin === undefined ? {} : { sha256: pin.sha256, bytes: pin.bytes }),
    hub: { repository, path, ...(commit === undefined ? {} : { commit }) },
  };
}

/**
 * torchvision's weights on the hub, at a pinned commit where one is known to hold the file of this hash. A file whose
 * hash is not published on the hub's page is left out of the families' tables, since it could not be checked.
 */
export function hubFile(
  network: string,
  sha256: string,
  { revision = 'main', bytes, file = 'model.safetensors' }: { revision?: string; bytes?: number; file?: string } = {},
): WeightsSource {
  const repository = `${network}.tv_in1k`;
  return {
    file: `${repository}${file.slice(file.lastIndexOf('.'))}`,
    url: hubUrl(`timm/${repository}`, revision, file),
    sha256,
    ...(bytes === undefined ? {} : { bytes }),
  };
}

/** The set that torchvision published first, with its usual preprocessing. */
export function v1(top1: number, megabytes: number, ...sources: readonly WeightsSource[]): WeightSet {
  return { name: 'IMAGENET1K_V1', top1, megabytes, preprocessing: imagenetPixels(), sources };
}

/** The set of torchvision's newer recipe, whose images have a short side of 232. */
export function v2(top1: number, megabytes: number, ...sources: readonly WeightsSource[]): WeightSet {
  return { name: 'IMAGENET1K_V2', top1, megabytes, preprocessing: imagenetPixels({ resize: 232 }), sources };
}

/** A set whose images are prepared with these sizes and this filter; see `imagenetPixels`. */
export function preparedBy(pixels: ImagenetPixels, set: WeightSet): WeightSet {
  return { ...set, preprocessing: imagenetPixels(pixels) };
}

/** A set whose images have this short side and this crop, resized by the bicubic filter. */
export function bicubic([resize, crop]: readonly [resize: number, crop: number], set: WeightSet): WeightSet {
  return preparedBy({ resize, crop, interpolation: 'bicubic' }, set);
}

/** Licence of SWAG's weights (Singh et al. 2022, https://arxiv.org/abs/2201.08371). */
const swagLicence = 'CC-BY-NC-4.0';

/** SWAG's network with all of it trained on, for images of `size` pixels. */
export function swagEndToEnd(size: number, top1: number, megabytes: number, file: WeightsSource): WeightSet {
  return swag('IMAGENET1K_SWAG_E2E_V1', size, top1, megabytes, file);
}

/** SWAG's network with a linear classifier. */
export function swagLinear(top1: number, megabytes: number, file: WeightsSource): WeightSet {
  return swag('IMAGENET1K_SWAG_LINEAR_V1', usualSize, top1, megabytes, file);
}

function swag(name: string, size: number, top1: number, megabytes: number, file: WeightsSource): WeightSet {
  const preprocessing = imagenetPixels({ resize: size, crop: size, interpolation: 'bicubic' });
  return { name, top1, megabytes, preprocessing, sources: [file], licence: swagLicence };
}
