import type { BenchCase } from '../benchCase.ts';
import { builtCommandMissing } from '../builtCommand.ts';
import { imagesUsed, prepareSubset, subsetFolder } from '../data.ts';

const [train, valid, epochs, batch] = [640, 96, 2, 32];

/** A whole training beside Ultralytics' on the same files. */
export const benchCase: BenchCase = {
  ...builtCommandMissing(),
  how:
    `ResNet-18 from random weights at 224 pixels: ${train} images to train on and ${valid} to validate on ${imagesUsed}, ` +
    `${epochs} epochs in batches of ${batch}, each side with its own data loader, augmentation, optimizer, validation after ` +
    `each epoch and checkpoints, as its command sets them. Ultralytics has a layer more before its classifier. An epoch is ` +
    `the faster of the two, validation and checkpoint included.`,
  prepare: () => prepareSubset(train, valid),
  rounds: 3,
  figures: [
    { key: 'epoch', title: 'ResNet-18 from scratch, an epoch with its validation', unit: 'images/s', better: 'more' },
    { key: 'whole', title: `the same, ${epochs} epochs from start to end`, unit: 's', better: 'less' },
    { key: 'memory', title: 'the same, peak memory', unit: 'MiB', better: 'less', goal: 1 },
  ],
  ours: { script: 'ours/wholeTraining.ts', args: ['resnet18', subsetFolder, epochs, batch] },
  peers: {
    Ultralytics: {
      script: 'peers/ultralyticsTraining.py',
      args: [subsetFolder, epochs, batch],
      needs: 'ultralytics',
    },
  },
};
