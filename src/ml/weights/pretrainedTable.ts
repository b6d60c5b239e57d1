import { usageError } from '../../protocol/errors.ts';

/** A file of pretrained weights somewhere in the world, and how it is recognised. */
export interface WeightsSource {
  /** Name under which it lies in the cache, in a mirror, or where a user puts it. */
  readonly file: string;
  readonly url: string;
  /** sha256 in hex, or the first digits of it where no more is published. */
  readonly sha256: string;
  readonly bytes?: number;
}

export interface PretrainedWeights {
  readonly architecture: string;
  /** Accuracy on ImageNet's validation set, one centre crop of 224, in percent, as torchvision publishes it. */
  readonly top1: number;
  /** Size of torch's file in units of 2^20 bytes, as torchvision publishes it. */
  readonly megabytes: number;
  /** In the order in which they are tried. */
  readonly sources: readonly WeightsSource[];
}

/** torchvision's own file; its name carries the first 8 hex digits of its sha256. */
function torch(name: string, sha256: string): WeightsSource {
  const file = `${name}-${sha256}.pth`;
  return { file, url: `https://download.pytorch.org/models/${file}`, sha256 };
}

/** The same weights on the hub, at a pinned commit where one is known to hold the file of this hash. */
function hub(
  name: string,
  sha256: string,
  { revision = 'main', bytes, file = 'model.safetensors' }: { revision?: string; bytes?: number; file?: string } = {},
): WeightsSource {
  const repository = `${name}.tv_in1k`;
  return {
    file: `${repository}${file.slice(file.lastIndexOf('.'))}`,
    url: `https://huggingface.co/timm/${repository}/resolve/${revision}/${file}`,
    sha256,
    ...(bytes === undefined ? {} : { bytes }),
  };
}

function row(
  architecture: string,
  top1: number,
  megabytes: number,
  ...sources: readonly WeightsSource[]
): PretrainedWeights {
  return { architecture, top1, megabytes, sources };
}

/**
 * Weights trained on ImageNet (torchvision's `IMAGENET1K_V1`). Figures and torch's files: torchvision's models, whose
 * table is https://pytorch.org/vision/stable/models.html; the hub's hashes: its pages of the files, timm/*.tv_in1k.
 * A hub file whose hash is not published here is left out, since it could not be checked.
 */
export const pretrainedWeights: readonly PretrainedWeights[] = [
  row(
    'resnet18',
    69.758,
    44.661,
    hub('resnet18', '694f673df6520a3158624e8a89af086f59923ee4cd7436fe5bc3bc71d295ad81', {
      revision: 'bbd144b3e5565108aad885f145491d11bc6ce807',
      bytes: 46_807_446,
    }),
    torch('resnet18', 'f37072fd'),
  ),
  row(
    'resnet34',
    73.314,
    83.275,
    hub('resnet34', '0bb82595a564991a9d424708b33f5d843f5aaed7f6c0886ff10849ff97022235', {
      revision: '1b7b21cca82ff974d341713f777bf740c2db38c4',
      bytes: 87_278_522,
    }),
    torch('resnet34', 'b627a593'),
  ),
  row(
    'resnet50',
    76.13,
    97.781,
    hub('resnet50', '5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888', {
      revision: '78f3ecfdb38e06d9b8397f662e7ab8fee96026fa',
      bytes: 102_469_840,
    }),
    torch('resnet50', '0676ba61'),
  ),
  row('resnet101', 77.374, 170.511, torch('resnet101', '63fe2227')),
  row(
    'resnet152',
    78.312,
    230.434,
    hub('resnet152', '15897077afdf4d6334dc0c3f8e6fb483afb3faa9298c139f3c6eb29bca6ae5b2', {
      revision: '2a9b5c2460893a2ab13d8625db2383f3094d704f',
    }),
    torch('resnet152', '394f9c45'),
  ),
  row(
    'densenet121',
    74.434,
    30.845,
    hub('densenet121', 'c894c6d9caa317a8ca1942986dee7a16a86c77734a4d691d2abe05389cfef358'),
    torch('densenet121', 'a639ec97'),
  ),
  row(
    'densenet161',
    77.138,
    110.369,
    hub('densenet161', 'f9ee24e6d30ab3405d9c468040f74e2de66675126eee9ec9ec15826b5a0619d3', {
      revision: '359c7ecf29a2da61381f4725fe59889ca80ad29b',
      file: 'pytorch_model.bin',
    }),
    torch('densenet161', '8d451a50'),
  ),
  row('densenet169', 75.6, 54.708, torch('densenet169', 'b2777c0a')),
  row('densenet201', 76.896, 77.373, torch('densenet201', 'c1103571')),
  row('squeezenet1_0', 58.092, 4.778, torch('squeezenet1_0', 'b66bff10')),
  row('squeezenet1_1', 58.178, 4.729, torch('squeezenet1_1', 'b8a52dc0')),
];

/** The table's row for a network by torchvision's name. Throws a usage error that lists the names there are. */
export function pretrainedFor(architecture: string): PretrainedWeights {
  const found = pretrainedWeights.find((weights) => weights.architecture === architecture);
  if (found) return found;
  const names = pretrainedWeights.map((weights) => weights.architecture).join(', ');
  throw usageError(
    `There are no pretrained weights for ${architecture}: choose one of ${names}, give a file with \`--weights\`, or train from scratch with \`--weights none\`.`,
  );
}
