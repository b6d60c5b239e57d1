import type { BenchCase } from '../benchCase.ts';
import { imagesUsed, prepareSubset, subsetFolder } from '../data.ts';

const images = 960;
const [batch, laterEpochs] = [32, 1];
const [cacheMebibytes, diskMebibytes] = [48, 48];

export const benchCase: BenchCase = {
  how:
    `${images} images ${imagesUsed}, some 250 MiB of pixels at a short side of 255, where memory may keep ` +
    `${cacheMebibytes} MiB of them and the disk ${diskMebibytes}; the rest is decoded anew in every epoch. Loaded as in ` +
    `decodeAndAugment. The peak of memory is that beyond what the process had before it loaded: the pixels kept, the ` +
    `batches made ahead, and two threads with their decoders.`,
  prepare: () => prepareSubset(images, 1),
  rounds: 2,
  figures: [
    {
      key: 'first',
      title: 'images of five times the cache in memory and on disk, first epoch',
      unit: 'images/s',
      better: 'more',
      goal: 1,
    },
    { key: 'later', title: 'the same, a later epoch', unit: 'images/s', better: 'more', goal: 1 },
    {
      key: 'memory',
      title: `the same, memory beyond that of the process; the cache has ${cacheMebibytes} MiB`,
      unit: 'MiB',
      better: 'less',
      goal: cacheMebibytes + 256,
      alone: true,
    },
  ],
  ours: { script: 'ours/decode.ts', args: [subsetFolder, batch, laterEpochs, cacheMebibytes, diskMebibytes] },
  peers: {
    pillow: { script: 'peers/decode.py', args: [subsetFolder, batch, laterEpochs, 'pillow'] },
    decode_image: {
      script: 'peers/decode.py',
      args: [subsetFolder, batch, laterEpochs, 'decode_image'],
      needs: 'torch 2',
    },
  },
};
