import { imageShape } from '../graph/builder.ts';
import type { GraphBuilder } from '../graph/graph.ts';
import { silu } from '../operators/activation/activations.ts';
import { add } from '../operators/elementwise/arithmetic.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { type Family, variantsOf } from './family.ts';
import { fanOut, type Initialisation, isConvolutionWeight, weightShapeOf, zeros } from './initialise.ts';
import { convNormActivation } from './layers/convNormActivation.ts';
import { squeezeExcite } from './layers/squeezeExcite.ts';
import { imagenetPixels, torchFile, v1, type WeightSet } from './pretrainedWeights.ts';

/** What sets one EfficientNet apart from another: how much wider and deeper it is than B0. */
interface Efficientnet {
  readonly width: number;
  readonly depth: number;
  readonly weights: readonly WeightSet[];
}

/** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
const efficientnets: Readonly<Record<string, Efficientnet>> = {
  efficientnet_b0: {
    width: 1,
    depth: 1,
    weights: [
      {
        ...v1(77.692, 20.451, torchFile('efficientnet_b0_rwightman', '7f5810bc')),
        preprocessing: imagenetPixels({ interpolation: 'bicubic' }),
      },
    ],
  },
};

/** Blocks of one stage of B0: how much wider they are inside, their kernel, the stride of the first, their channels, how many. */
type Stage = readonly [expansion: number, kernel: number, stride: number, channels: number, blocks: number];

const stages: readonly Stage[] = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
];
const stem = 32;
/** Channels behind the last stage for each of its own. */
const lastExpansion = 4;

/** A multiple of 8 near `channels` times `width`, and no less than nine tenths of that. */
function widened(channels: number, width: number): number {
  const wanted = channels * width;
  const near = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return near < 0.9 * wanted ? near + 8 : near;
}

interface Block {
  readonly expansion: number;
  readonly kernel: number;
  readonly stride: number;
  readonly channels: number;
}

/** MBConv: 1x1 to the inner width if there is one, depthwise, squeeze-and-excite, 1x1 without an activation; a shortcut. */
function block(builder: GraphBuilder, name: string, x: string, options: Block): string {
  const { expansion, kernel, stride, channels } = options;
  const [, inputs] = imageShape(builder, x);
  const inner = widened(inputs, expansion);
  const layers = `${name}.block`;
  let y = x;
  let index = 0;
  if (inner !== inputs) {
    y = convNormActivation(builder, `${layers}.${index++}`, y, { channels: inner, kernel: 1, activation: silu });
  }
  const depthwise = { channels: inner, kernel, stride, groups: inner, activation: silu };
  y = convNormActivation(builder, `${layers}.${index++}`, y, depthwise);
  const squeezed = Math.max(1, Math.floor(inputs / 4));
  y = squeezeExcite(builder, `${layers}.${index++}`, y, { squeezed, activation: silu });
  y = convNormActivation(builder, `${layers}.${index}`, y, { channels, kernel: 1 });
  return stride === 1 && inputs === channels ? add(builder, x, y) : y;
}

/** Images `[N, 3, H, W]` -> features `[N, F]`, the mean over the last map. */
function build(builder: GraphBuilder, { width, depth }: Efficientnet, images: string): string {
  const first = { channels: widened(stem, width), kernel: 3, stride: 2, activation: silu };
  let x = convNormActivation(builder, 'features.0', images, first);
  for (const [stage, [expansion, kernel, firstStride, channels, blocks]] of stages.entries()) {
    for (let index = 0; index < Math.ceil(blocks * depth); index++) {
      const stride = index === 0 ? firstStride : 1;
      const options = { expansion, kernel, stride, channels: widened(channels, width) };
      x = block(builder, `features.${stage + 1}.${index}`, x, options);
    }
  }
  const last = { channels: featureCount(width), kernel: 1, activation: silu };
  return globalAveragePool(builder, convNormActivation(builder, `features.${stages.length + 1}`, x, last));
}

function featureCount(width: number): number {
  return lastExpansion * widened(stages.at(-1)?.[3] ?? 0, width);
}

/** The Linear of the network's own classifier, behind a dropout. */
const ownClassifier = 'classifier.1';

/** Convolutions by kaiming_normal_ over fan_out (He et al. 2015, https://arxiv.org/abs/1502.01852), their biases 0. */
const initialise: Initialisation = (name, shapes) => {
  if (name === `${ownClassifier}.bias`) return zeros;
  if (name === `${ownClassifier}.weight`) {
    return { kind: 'uniform', bound: 1 / Math.sqrt(weightShapeOf(name, shapes)[0] ?? 1) };
  }
  if (isConvolutionWeight(name, shapes)) {
    return { kind: 'normal', std: Math.sqrt(2 / fanOut(weightShapeOf(name, shapes))) };
  }
  return name.endsWith('.bias') && weightShapeOf(name, shapes).length === 4 ? zeros : undefined;
};

/** EfficientNet (Tan and Le 2019, https://arxiv.org/abs/1905.11946) as torchvision builds it. */
export const efficientnet: Family = {
  title: 'EfficientNet',
  variants: variantsOf(efficientnets, (name, row) => ({
    title: name.replace('efficientnet_b', 'EfficientNet-B'),
    features: featureCount(row.width),
    build: (builder, images) => build(builder, row, images),
    weights: row.weights,
  })),
  classifier: 'classifier',
  ownClassifier,
  initialise,
  licence: 'BSD-3-Clause',
};
