import type { BenchCase } from '../benchCase.ts';
import { imagesUsed, photosFolder, preparePhotos } from '../data.ts';

const images = 36;
const batch = 4;

export const benchCase: BenchCase = {
  how:
    `${images} JPEGs of 4000x3000 pixels, put together ${imagesUsed}, as in decodeAndAugment but in batches of ${batch}. ` +
    `The peak of memory is that beyond what the process had before it loaded.`,
  prepare: () => preparePhotos(images),
  rounds: 3,
  figures: [
    {
      key: 'first',
      title: 'decode and augment of 12-megapixel JPEGs, first epoch',
      unit: 'images/s',
      better: 'more',
      goal: 3,
    },
    {
      key: 'memory',
      title: 'the same, memory beyond that of the process',
      unit: 'MiB',
      better: 'less',
      goal: 512,
      alone: true,
    },
  ],
  ours: { script: 'ours/decode.ts', args: [photosFolder, batch, 0] },
  peers: {
    pillow: { script: 'peers/decode.py', args: [photosFolder, batch, 0, 'pillow'] },
    decode_image: { script: 'peers/decode.py', args: [photosFolder, batch, 0, 'decode_image'], needs: 'torch 2' },
  },
};
