/** A file of pretrained weights somewhere in the world, and how it is recognised. */
export interface WeightsSource {
  /** Name under which it lies in the cache, in a mirror, or where a user puts it. */
  readonly file: string;
  readonly url: string;
  /** sha256 in hex, or the first digits of it where no more is published. */
  readonly sha256: string;
  readonly bytes?: number;
}

/** A set of weights that was trained on ImageNet. */
export interface WeightSet {
  /** Accuracy on ImageNet's validation set, one centre crop, in percent, as torchvision publishes it. */
  readonly top1: number;
  /** Size of torch's file in units of 2^20 bytes, as torchvision publishes it. */
  readonly megabytes: number;
  /** In the order in which they are tried. */
  readonly sources: readonly WeightsSource[];
}

/** A set of weights with the name of the network that it is for. */
export interface PretrainedWeights extends WeightSet {
  readonly network: string;
}

/** torchvision's own file; its name carries the first 8 hex digits of its sha256. */
export function torchFile(network: string, sha256: string): WeightsSource {
  const file = `${network}-${sha256}.pth`;
  return { file, url: `https://download.pytorch.org/models/${file}`, sha256 };
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
    url: `https://huggingface.co/timm/${repository}/resolve/${revision}/${file}`,
    sha256,
    ...(bytes === undefined ? {} : { bytes }),
  };
}
