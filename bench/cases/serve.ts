import { join } from 'node:path';
import type { BenchCase } from '../benchCase.ts';
import { builtCommandMissing } from '../builtCommand.ts';
import { imagesUsed, prepareSubset, prepareWeights, subsetFolder, weightsFile } from '../data.ts';

const network = 'resnet18';
const [images, clients] = [96, 16];
const args = [network, weightsFile(network), join(subsetFolder, 'train'), clients];

export const benchCase: BenchCase = {
  ...builtCommandMissing(),
  how:
    `ResNet-18 with random weights, loaded and warm, on ${images} images ${imagesUsed}, over five crops. Ours is the ` +
    `built \`fivecrop serve\`, which ${clients} clients in another process on the same machine ask for one image each, ` +
    `over loopback; the peer is what \`fivecrop predict\` runs, in one process.`,
  prepare: async () => {
    await prepareWeights(network);
    await prepareSubset(images, 1);
  },
  rounds: 3,
  figures: [
    {
      key: 'many',
      title: 'five-crop prediction of many images, served over HTTP',
      unit: 'images/s',
      better: 'more',
      goal: 0.9,
    },
  ],
  ours: { script: 'ours/serving.ts', args: ['serve', ...args] },
  peers: { predict: { script: 'ours/serving.ts', args: ['predict', ...args] } },
};
