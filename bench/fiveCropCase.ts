import { join } from 'node:path';
import type { Precision } from '../src/protocol/trainingConfig.ts';
import type { BenchCase, FigureSpec } from './benchCase.ts';
import {
  imagesUsed,
  photoFile,
  preparePhoto,
  prepareSubset,
  prepareWeights,
  subsetFolder,
  weightsFile,
} from './data.ts';
import { forwardOperations } from './operations.ts';

const network = 'resnet101';
const images = 24;
const repeats = 3;
const folder = join(subsetFolder, 'train');

/** Work of one image of many, cut into five crops. */
export const operationsOfImage = 5 * forwardOperations(network);

/** Five-crop prediction with ResNet-101, beside a script in torch. */
export function fiveCropCase(figures: readonly FigureSpec[], precision: Precision): BenchCase {
  return {
    how:
      `ResNet-101 with random weights, loaded and warm. One JPEG of 4000x3000 pixels, the best of ${repeats}; and many ` +
      `images, measured on ${images} ${imagesUsed}, read, cropped and classified. Where ours is in 8 bits, the time in ` +
      `which it finds its ranges counts as it does for 500 images.`,
    prepare: async () => {
      await prepareWeights(network);
      await preparePhoto();
      await prepareSubset(images, 1);
    },
    rounds: 3,
    figures,
    ours: { script: 'ours/fiveCrop.ts', args: [weightsFile(network), photoFile, repeats, folder, precision] },
    peers: { eager: { script: 'peers/fiveCrop.py', args: [photoFile, repeats, folder] } },
  };
}
