import type { GraphBuilder } from '../graph/graph.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { batchNorm2d } from '../operators/norm/batchNorm2d.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { imageShape } from '../graph/builder.ts';
import { maxPool2d } from '../operators/pooling/maxPool.ts';
import { relu } from '../operators/activation/relu.ts';
import { type Family, variantsOf } from './family.ts';
import { kaimingConvolutions } from './initialise.ts';
import { builtAlike } from './timm.ts';
import { hubFile, preparedBy, torchFile, v1, v2, type WeightSet } from './weightSets.ts';

/** What sets one ResNet apart from another: the kind of block, and how many of them each of the four stages has. */
interface Resnet {
  readonly block: 'basic' | 'bottleneck';
  readonly blocks: readonly [number, number, number, number];
  /** Groups of the 3x3 convolutions, and channels of a group in the first stage: one of 64 without it. */
  readonly groups?: readonly [count: number, channels: number] | undefined;
  readonly weights: readonly WeightSet[];
}

/** Accuracy, sizes and torch's files: https://pytorch.org/vision/stable/models.html. Hashes of the hub's: its pages. */
const resnets: Readonly<Record<string, Resnet>> = {
  resnet18: {
    block: 'basic',
    blocks: [2, 2, 2, 2],
    weights: [
      v1(
        69.758,
        44.661,
        hubFile('resnet18', '694f673df6520a3158624e8a89af086f59923ee4cd7436fe5bc3bc71d295ad81', {
          revision: 'bbd144b3e5565108aad885f145491d11bc6ce807',
          bytes: 46_807_446,
        }),
        torchFile('resnet18', 'f37072fd'),
      ),
    ],
  },
  resnet34: {
    block: 'basic',
    blocks: [3, 4, 6, 3],
    weights: [
      v1(
        73.314,
        83.275,
        hubFile('resnet34', '0bb82595a564991a9d424708b33f5d843f5aaed7f6c0886ff10849ff97022235', {
          revision: '1b7b21cca82ff974d341713f777bf740c2db38c4',
          bytes: 87_278_522,
        }),
        torchFile('resnet34', 'b627a593'),
      ),
    ],
  },
  resnet50: {
    block: 'bottleneck',
    blocks: [3, 4, 6, 3],
    weights: [
      v1(
        76.13,
        97.781,
        hubFile('resnet50', '5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888', {
          revision: '78f3ecfdb38e06d9b8397f662e7ab8fee96026fa',
          bytes: 102_469_840,
        }),
        torchFile('resnet50', '0676ba61'),
      ),
      v2(80.858, 97.79, torchFile('resnet50', '11ad3fa6')),
    ],
  },
  resnet101: {
    block: 'bottleneck',
    blocks: [3, 4, 23, 3],
    weights: [
      v1(77.374, 170.511, torchFile('resnet101', '63fe2227')),
      v2(81.886, 170.53, torchFile('resnet101', 'cd907fc2')),
    ],
  },
  resnet152: {
    block: 'bottleneck',
    blocks: [3, 8, 36, 3],
    weights: [
      v1(
        78.312,
        230.434,
        hubFile('resnet152', '15897077afdf4d6334dc0c3f8e6fb483afb3faa9298c139f3c6eb29bca6ae5b2', {
          revision: '2a9b5c2460893a2ab13d8625db2383f3094d704f',
        }),
        torchFile('resnet152', '394f9c45'),
      ),
      v2(82.284, 230.474, torchFile('resnet152', 'f82ba261')),
    ],
  },
  resnext50_32x4d: {
    block: 'bottleneck',
    blocks: [3, 4, 6, 3],
    groups: [32, 4],
    weights: [
      v1(77.618, 95.789, torchFile('resnext50_32x4d', '7cdf4587')),
      v2(81.198, 95.833, torchFile('resnext50_32x4d', '1a0047aa')),
    ],
  },
  resnext101_32x8d: {
    block: 'bottleneck',
    blocks: [3, 4, 23, 3],
    groups: [32, 8],
    weights: [
      v1(79.312, 339.586, torchFile('resnext101_32x8d', '8ba56ff5')),
      v2(82.834, 339.673, torchFile('resnext101_32x8d', '110c445d')),
    ],
  },
  resnext101_64x4d: {
    block: 'bottleneck',
    blocks: [3, 4, 23, 3],
    groups: [64, 4],
    weights: [preparedBy({ resize: 232 }, v1(83.246, 319.318, torchFile('resnext101_64x4d', '173b62eb')))],
  },
  wide_resnet50_2: {
    block: 'bottleneck',
    blocks: [3, 4, 6, 3],
    groups: [1, 128],
    weights: [
      v1(78.468, 131.82, torchFile('wide_resnet50_2', '95faca4d')),
      v2(81.602, 263.124, torchFile('wide_resnet50_2', '9ba9bcbe')),
    ],
  },
  wide_resnet101_2: {
    block: 'bottleneck',
    blocks: [3, 4, 23, 3],
    groups: [1, 128],
    weights: [
      v1(78.848, 242.896, torchFile('wide_resnet101_2', '32ee1156')),
      v2(82.51, 484.747, torchFile('wide_resnet101_2', 'd733dc28')),
    ],
  },
};

/** Channels of a block's output for each channel of its 3x3 convolutions. */
const expansion = { basic: 1, bottleneck: 4 } as const;

interface Block extends Pick<Resnet, 'groups'> {
  readonly channels: number;
  readonly stride: number;
}

/** Two 3x3 convolutions; the first one carries the stride. */
function basicBranch(builder: GraphBuilder, name: string, x: string, { channels, stride }: Block): string {
  const first = conv2d(builder, `${name}.conv1`, x, { channels, kernel: 3, stride, padding: 1, bias: false });
  const middle = relu(builder, batchNorm2d(builder, `${name}.bn1`, first));
  const second = conv2d(builder, `${name}.conv2`, middle, { channels, kernel: 3, padding: 1, bias: false });
  return batchNorm2d(builder, `${name}.bn2`, second);
}

/** 1x1, 3x3, 1x1; as in torchvision the 3x3 convolution carries the stride, where the paper has it in the first. */
function bottleneckBranch(builder: GraphBuilder, name: string, x: string, options: Block): string {
  const { channels, stride, groups: [groups, inFirst] = [1, 64] } = options;
  const inner = ((groups * inFirst) / 64) * channels;
  const first = conv2d(builder, `${name}.conv1`, x, { channels: inner, kernel: 1, bias: false });
  const narrow = relu(builder, batchNorm2d(builder, `${name}.bn1`, first));
  const grouped = { channels: inner, kernel: 3, stride, padding: 1, groups, bias: false };
  const second = conv2d(builder, `${name}.conv2`, narrow, grouped);
  const middle = relu(builder, batchNorm2d(builder, `${name}.bn2`, second));
  const wide = { channels: channels * expansion.bottleneck, kernel: 1, bias: false };
  return batchNorm2d(builder, `${name}.bn3`, conv2d(builder, `${name}.conv3`, middle, wide));
}

/** A residual block: relu(branch(x) + shortcut(x)); the shortcut is a 1x1 convolution where the shape changes. */
function residualBlock(builder: GraphBuilder, name: string, x: string, kind: Resnet['block'], options: Block): string {
  const branch = { basic: basicBranch, bottleneck: bottleneckBranch }[kind](builder, name, x, options);
  const { channels, stride } = options;
  const width = channels * expansion[kind];
  let shortcut = x;
  if (stride !== 1 || imageShape(builder, x)[1] !== width) {
    const projection = conv2d(builder, `${name}.downsample.0`, x, { channels: width, kernel: 1, stride, bias: false });
    shortcut = batchNorm2d(builder, `${name}.downsample.1`, projection);
  }
  return relu(builder, add(builder, branch, shortcut));
}

/** Images `[N, 3, H, W]` -> features `[N, F]`, the mean over the last map. */
function build(builder: GraphBuilder, { block, blocks, groups }: Resnet, images: string): string {
  let x = conv2d(builder, 'conv1', images, { channels: 64, kernel: 7, stride: 2, padding: 3, bias: false });
  x = relu(builder, batchNorm2d(builder, 'bn1', x));
  x = maxPool2d(builder, x, { kernel: 3, stride: 2, padding: 1 });
  for (const [stage, count] of blocks.entries()) {
    for (let index = 0; index < count; index++) {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const options = { channels: 64 * 2 ** stage, stride, groups };
      x = residualBlock(builder, `layer${stage + 1}.${index}`, x, block, options);
    }
  }
  return globalAveragePool(builder, x);
}

function titleOf(name: string): string {
  return name
    .replace(/^resnet/u, 'ResNet-')
    .replace(/^resnext(\d+)_/u, 'ResNeXt-$1 ')
    .replace(/^wide_resnet(\d+)_/u, 'Wide ResNet-$1-');
}

const variants = variantsOf(resnets, (name, row) => ({
  title: titleOf(name),
  features: 512 * expansion[row.block],
  build: (builder, images) => build(builder, row, images),
  weights: row.weights,
  timm: { architecture: name, num_features: 512 * expansion[row.block] },
}));

/**
 * ResNet (He et al. 2015, https://arxiv.org/abs/1512.03385), ResNeXt (Xie et al. 2016, https://arxiv.org/abs/1611.05431) and
 * Wide ResNet (Zagoruyko and Komodakis 2016, https://arxiv.org/abs/1605.07146) as torchvision builds them.
 */
export const resnet: Family = {
  title: 'ResNet',
  variants,
  fromTimm: builtAlike(variants),
  classifier: 'fc',
  initialise: kaimingConvolutions,
  licence: 'BSD-3-Clause',
};
