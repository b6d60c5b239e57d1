import type { GraphBuilder } from '../graph/graph.ts';
import { conv2d } from '../operators/convolution/conv2d.ts';
import { layerNorm, layerNorm2d } from '../operators/norm/layerNorm.ts';
import { globalAveragePool } from '../operators/pooling/globalAveragePool.ts';
import { type Family, variantsOf } from './family.ts';
import { type Initialisation, narrowNormal } from './initialise.ts';
import { convnextBlock } from './layers/convnextBlock.ts';
import { preparedBy, torchFile, v1, type WeightSet } from './weightSets.ts';

/** What sets one ConvNeXt apart from another: channels of the four stages, and how many blocks each has. */
interface Convnext {
  readonly channels: readonly number[];
  readonly blocks: readonly number[];
  readonly weights: readonly WeightSet[];
}

const shallow = [3, 3, 9, 3];
const deep = [3, 3, 27, 3];

/** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
const convnexts: Readonly<Record<string, Convnext>> = {
  convnext_tiny: {
    channels: [96, 192, 384, 768],
    blocks: shallow,
    weights: [preparedBy({ resize: 236 }, v1(82.52, 109.119, torchFile('convnext_tiny', '983f1562')))],
  },
  convnext_small: {
    channels: [96, 192, 384, 768],
    blocks: deep,
    weights: [preparedBy({ resize: 230 }, v1(83.616, 191.703, torchFile('convnext_small', '0c510722')))],
  },
  convnext_base: {
    channels: [128, 256, 512, 1024],
    blocks: deep,
    weights: [preparedBy({ resize: 232 }, v1(84.062, 338.064, torchFile('convnext_base', '6075fbad')))],
  },
  convnext_large: {
    channels: [192, 384, 768, 1536],
    blocks: deep,
    weights: [preparedBy({ resize: 232 }, v1(84.414, 754.537, torchFile('convnext_large', 'ea097f82')))],
  },
};

const epsilon = 1e-6;

/** Images `[N, 3, H, W]` -> features `[N, F]`, the mean over the last map, normalised. */
function build(builder: GraphBuilder, { channels, blocks }: Convnext, images: string): string {
  let x = images;
  for (const [stage, width] of channels.entries()) {
    const before = `features.${2 * stage}`;
    if (stage === 0) {
      x = conv2d(builder, `${before}.0`, x, { channels: width, kernel: 4, stride: 4 });
      x = layerNorm2d(builder, `${before}.1`, x, epsilon);
    } else {
      x = layerNorm2d(builder, `${before}.0`, x, epsilon);
      x = conv2d(builder, `${before}.1`, x, { channels: width, kernel: 2, stride: 2 });
    }
    for (let index = 0; index < (blocks[stage] ?? 0); index++) {
      const block = `features.${2 * stage + 1}.${index}`;
      const names = {
        scale: { name: `${block}.layer_scale`, shape: (size: number) => [size, 1, 1] },
        depthwise: `${block}.block.0`,
        norm: `${block}.block.2`,
        expand: `${block}.block.3`,
        shrink: `${block}.block.5`,
      };
      x = convnextBlock(builder, x, { names, epsilon });
    }
  }
  return layerNorm(builder, 'classifier.0', globalAveragePool(builder, x), epsilon);
}

/** The Linear of the network's own classifier, behind the norm. */
const classifier = 'classifier.2';

/** Convolutions and Linears normal with a deviation of 0.02, their biases 0. */
const initialise: Initialisation = (name, shapes) => {
  if (name.endsWith('.layer_scale')) return { kind: 'constant', value: 1e-6 };
  const isOwn = name.startsWith('features.') || name === `${classifier}.weight` || name === `${classifier}.bias`;
  return isOwn ? narrowNormal(name, shapes) : undefined;
};

/** ConvNeXt (Liu et al. 2022, https://arxiv.org/abs/2201.03545) as torchvision builds it. */
export const convnext: Family = {
  title: 'ConvNeXt',
  variants: variantsOf(convnexts, (name, row) => ({
    title: name.replace(/convnext_(\w)/u, (_, letter: string) => `ConvNeXt-${letter.toUpperCase()}`),
    features: row.channels.at(-1) ?? 0,
    build: (builder, images) => build(builder, row, images),
    weights: row.weights,
  })),
  classifier,
  initialise,
  licence: 'BSD-3-Clause',
};
