import type { GraphBuilder } from '../graph/graph.ts';
import { relu } from '../operators/activation/relu.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { batchNorm2d } from '../operators/norm/batchNorm2d.ts';
import { maxPool2d } from '../operators/pooling/maxPool.ts';
import { type Family, variantsOf } from './family.ts';
import { type Initialisation, kaimingConvolutions, weightShapeOf, zeros } from './initialise.ts';
import { pooledLinears } from './layers/pooledLinears.ts';
import { requireSide } from './layers/requireSide.ts';
import { torchFile, v1, type WeightSet } from './weightSets.ts';

/** How many convolutions each of the five stages has; a max pool ends each. */
type Stages = readonly [number, number, number, number, number];

/** What sets one VGG apart from another. */
interface Vgg {
  readonly stages: Stages;
  /** Whether a batch norm follows each convolution. */
  readonly norm: boolean;
  readonly weights: readonly WeightSet[];
}

const eleven: Stages = [1, 1, 2, 2, 2];
const thirteen: Stages = [2, 2, 2, 2, 2];
const sixteen: Stages = [2, 2, 3, 3, 3];
const nineteen: Stages = [2, 2, 4, 4, 4];

function plain(stages: Stages, ...weights: readonly WeightSet[]): Vgg {
  return { stages, norm: false, weights };
}

function normed(stages: Stages, ...weights: readonly WeightSet[]): Vgg {
  return { stages, norm: true, weights };
}

/**
 * Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. The set IMAGENET1K_FEATURES is left out: it has
 * no usable classifier.
 */
const vggs: Readonly<Record<string, Vgg>> = {
  vgg11: plain(eleven, v1(69.02, 506.84, torchFile('vgg11', '8a719046'))),
  vgg11_bn: normed(eleven, v1(70.37, 506.881, torchFile('vgg11_bn', '6002323d'))),
  vgg13: plain(thirteen, v1(69.928, 507.545, torchFile('vgg13', '19584684'))),
  vgg13_bn: normed(thirteen, v1(71.586, 507.59, torchFile('vgg13_bn', 'abd245e5'))),
  vgg16: plain(sixteen, v1(71.592, 527.796, torchFile('vgg16', '397923af'))),
  vgg16_bn: normed(sixteen, v1(73.36, 527.866, torchFile('vgg16_bn', '6c64b313'))),
  vgg19: plain(nineteen, v1(72.376, 548.051, torchFile('vgg19', 'dcbb9e9d'))),
  vgg19_bn: normed(nineteen, v1(74.218, 548.143, torchFile('vgg19_bn', 'c79401a0'))),
};

/** Channels of the five stages. */
const widths = [64, 128, 256, 512, 512] as const;
/** Side of the map that the classifier sees, and number of features of its last Linear. */
const [side, features] = [7, 4096];

const linears = [
  ['linear', 'classifier.0'],
  ['dropout', 'classifier.2'],
  ['linear', 'classifier.3'],
  ['dropout', 'classifier.5'],
] as const;

/** Images `[N, 3, H, W]` of 32 pixels and more -> features `[N, 4096]`, those that the last Linear classifies. */
function build(builder: GraphBuilder, { stages, norm }: Vgg, images: string): string {
  requireSide(builder, images, 32);
  let x = images;
  let index = 0;
  for (const [stage, channels] of widths.entries()) {
    for (let convolution = 0; convolution < (stages[stage] ?? 0); convolution++) {
      x = conv2d(builder, `features.${index++}`, x, { channels, kernel: 3, padding: 1 });
      if (norm) x = batchNorm2d(builder, `features.${index++}`, x);
      x = relu(builder, x);
      index++;
    }
    x = maxPool2d(builder, x, { kernel: 2, stride: 2 });
    index++;
  }
  return pooledLinears(builder, x, { side, modules: linears, features });
}

/** Convolutions by kaiming_normal_ over fan_out, all biases 0. */
const initialise: Initialisation = (name, shapes) => {
  const ofLinear = /^classifier\.[036]\.(weight|bias)$/u.exec(name)?.[1];
  if (ofLinear !== undefined) return ofLinear === 'bias' ? zeros : { kind: 'normal', std: 0.01 };
  if (name.endsWith('.bias') && weightShapeOf(name, shapes).length === 4) return zeros;
  return kaimingConvolutions(name, shapes);
};

/** VGG (Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556) as torchvision builds it. */
export const vgg: Family = {
  title: 'VGG',
  variants: variantsOf(vggs, (name, row) => ({
    title: name.replace('vgg', 'VGG-').replace('_bn', ' with batch norm'),
    features,
    build: (builder, images) => build(builder, row, images),
    weights: row.weights,
  })),
  classifier: 'classifier.6',
  initialise,
  licence: 'BSD-3-Clause',
};
