import type { GraphBuilder } from '../graph/graph.ts';
import { relu } from '../operators/activation/relu.ts';
import { conv2d, type ConvolutionOptions } from '../operators/convolution/conv2d.ts';
import { maxPool2d } from '../operators/pooling/maxPool.ts';
import type { Family } from './family.ts';
import { torchDefaults } from './initialise.ts';
import { pooledLinears } from './layers/pooledLinears.ts';
import { requireSide } from './layers/requireSide.ts';
import { torchFile, v1 } from './weightSets.ts';

/** A convolution by its place among the modules `features`, or a max pool. */
type Stage = readonly [index: number, options: ConvolutionOptions] | 'pool';

const stages: readonly Stage[] = [
  [0, { channels: 64, kernel: 11, stride: 4, padding: 2 }],
  'pool',
  [3, { channels: 192, kernel: 5, padding: 2 }],
  'pool',
  [6, { channels: 384, kernel: 3, padding: 1 }],
  [8, { channels: 256, kernel: 3, padding: 1 }],
  [10, { channels: 256, kernel: 3, padding: 1 }],
  'pool',
];

/** Side of the map that the classifier sees, and number of features of its last Linear. */
const [side, features] = [6, 4096];

const linears = [
  ['dropout', 'classifier.0'],
  ['linear', 'classifier.1'],
  ['dropout', 'classifier.3'],
  ['linear', 'classifier.4'],
] as const;

/** Images `[N, 3, H, W]` of 63 pixels and more -> features `[N, 4096]`, those that the last Linear classifies. */
function build(builder: GraphBuilder, images: string): string {
  requireSide(builder, images, 63);
  let x = images;
  for (const stage of stages) {
    x =
      stage === 'pool'
        ? maxPool2d(builder, x, { kernel: 3, stride: 2 })
        : relu(builder, conv2d(builder, `features.${stage[0]}`, x, stage[1]));
  }
  return pooledLinears(builder, x, { side, modules: linears, features });
}

/** AlexNet (Krizhevsky 2014, https://arxiv.org/abs/1404.5997) as torchvision builds it. */
export const alexnet: Family = {
  title: 'AlexNet',
  variants: {
    alexnet: {
      title: 'AlexNet',
      features,
      build,
      /** Accuracy, sizes and files: https://pytorch.org/vision/stable/models.html. */
      weights: [v1(56.522, 233.087, torchFile('alexnet-owt', '7be5be79'))],
    },
  },
  classifier: 'classifier.6',
  initialise: torchDefaults,
  licence: 'BSD-3-Clause',
};
