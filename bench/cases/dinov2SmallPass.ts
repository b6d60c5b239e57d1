import type { BenchCase } from '../benchCase.ts';
import { imagesUsed, prepareSubset, prepareWeights, subsetFolder, weightsFile } from '../data.ts';
import { forwardOperations } from '../operations.ts';

const network = 'timm/vit_small_patch14_dinov2.lvd142m';
/** Flowers-102, all of it. */
const images = 8189;
const epochs = 20;
const measured = { train: 224, valid: 32 };

/** DINOv2 small over all of Flowers-102 once, and a linear head on its features. */
export const benchCase: BenchCase = {
  how:
    `One pass of DINOv2 small over ${images} images of 224 pixels and ${epochs} epochs of a linear head on what was kept, ` +
    `from what an image takes in the first and the third epoch of a run over ${measured.train} of them; what does not ` +
    `grow with the images is counted once, or once an epoch. Measured ${imagesUsed}, with random weights. Torch passes ${measured.train} images through a ` +
    'transformer of the same shape in batches of 32. "two processors" is half of the processor time that ours took, ' +
    'which other work on the machine lengthens less than the clock.',
  prepare: async () => {
    await prepareWeights(network);
    await prepareSubset(measured.train, measured.valid);
  },
  rounds: 3,
  figures: [
    {
      ...{ key: 'rate', title: 'DINOv2 small, frozen, first epoch', unit: 'images/s', better: 'more', goal: 1.5 },
      operations: forwardOperations(network),
    },
    {
      key: 'plan',
      title: `the same for ${images} images, head included`,
      unit: 's',
      better: 'less',
      goal: 360,
      alone: true,
    },
    {
      key: 'processors',
      title: 'the same by two processors’ time',
      unit: 's',
      better: 'less',
      goal: 360,
      alone: true,
    },
  ],
  ours: {
    script: 'ours/passAndHead.ts',
    args: [network, weightsFile(network), subsetFolder, images, epochs],
  },
  peers: { eager: { script: 'peers/passAndHead.py', args: [subsetFolder, measured.train - 32] } },
};
