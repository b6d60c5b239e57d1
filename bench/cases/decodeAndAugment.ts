import type { BenchCase } from '../benchCase.ts';
import { imagesUsed, prepareSubset, subsetFolder } from '../data.ts';

/** An epoch of Flowers-102: in a shorter one the threads of either side are hardly warm. */
const images = 6552;
const [batch, laterEpochs] = [32, 2];

export const benchCase: BenchCase = {
  how:
    `${images} images ${imagesUsed}, rotated, resized to 255, cropped to 224 and flipped, in batches of ${batch}, from the first ` +
    `batch to the last, the better of two epochs for the later ones; five epochs are added up from the first and twice ` +
    `each of those two; the peer has two workers and normalises too, which is ` +
    `part of the network's graph in ours.`,
  prepare: () => prepareSubset(images, 1),
  rounds: 3,
  figures: [
    { key: 'first', title: 'decode and augment, first epoch', unit: 'images/s', better: 'more', goal: 2.5 },
    { key: 'later', title: 'decode and augment, later epochs', unit: 'images/s', better: 'more', goal: 6 },
    { key: 'five', title: 'decode and augment, five epochs together', unit: 'images/s', better: 'more', goal: 4 },
  ],
  ours: { script: 'ours/decode.ts', args: [subsetFolder, batch, laterEpochs] },
  peers: {
    pillow: { script: 'peers/decode.py', args: [subsetFolder, batch, laterEpochs, 'pillow'] },
    decode_image: {
      script: 'peers/decode.py',
      args: [subsetFolder, batch, laterEpochs, 'decode_image'],
      needs: 'torch 2',
    },
  },
};
