import { join } from 'node:path';
import type { BenchCase } from '../benchCase.ts';
import {
  imagesUsed,
  photoFile,
  preparePhoto,
  prepareSubset,
  prepareWeights,
  subsetFolder,
  weightsFile,
} from '../data.ts';
import { forwardOperations } from '../operations.ts';

const network = 'resnet101';
const images = 24;
const repeats = 3;
const folder = join(subsetFolder, 'train');

export const benchCase: BenchCase = {
  how:
    `ResNet-101 with random weights, loaded and warm. One JPEG of 4000x3000 pixels, the best of ${repeats}; and many ` +
    `images, measured on ${images} ${imagesUsed}, read, cropped and classified.`,
  prepare: async () => {
    await prepareWeights(network);
    await preparePhoto();
    await prepareSubset(images, 1);
  },
  rounds: 3,
  figures: [
    { key: 'photo', title: 'five-crop prediction of a 12-megapixel JPEG, warm', unit: 's', better: 'less', goal: 3 },
    {
      key: 'many',
      title: 'five-crop prediction of many images',
      unit: 'images/s',
      better: 'more',
      goal: 3,
      operations: 5 * forwardOperations(network),
    },
  ],
  ours: { script: 'ours/fiveCrop.ts', args: [weightsFile(network), photoFile, repeats, folder] },
  peers: { torch: { script: 'peers/fiveCrop.py', args: [photoFile, repeats, folder] } },
};
