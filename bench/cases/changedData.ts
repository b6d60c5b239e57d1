import type { BenchCase } from '../benchCase.ts';
import { changesFile, classes, featuresFile, labelsFile, prepareChanges, rows, width } from '../changedData.ts';

const [changes, changesOfPeer] = [200, 20];

export const benchCase: BenchCase = {
  how:
    `${changes} changes of a folder of ${rows} images in ${classes} classes, one after the other: images moved and put aside, ` +
    `classes merged, changes undone and redone. Timed is each from the request to its answer: the edit and its journal on the ` +
    `disk, the folder read again, the head over ${width} kept numbers an image, accuracy, confusions and suspects; at the end ` +
    `all is compared with what a new session says. The peer fits scikit-learn's RidgeCV, which judges each row by the head of ` +
    `all others too, to the labels after the first ${changesOfPeer} of the same changes, and counts accuracy and confusions; it reads no folder.`,
  prepare: () => prepareChanges(changes),
  rounds: 1,
  figures: [
    { key: 'p95', title: 'Clean Data: figures after a change, slowest but one in twenty', unit: 's', better: 'less' },
    { key: 'median', title: 'the same, median', unit: 's', better: 'less' },
    { key: 'p95', title: 'the same, slowest but one in twenty by the clock', unit: 's', better: 'less', goal: 1, alone: true }, // prettier-ignore
    { key: 'processor', title: 'the same, processor time', unit: 's', better: 'less', alone: true },
  ],
  ours: { script: 'ours/changedData.ts', args: [] },
  peers: {
    'scikit-learn RidgeCV': {
      script: 'peers/changedData.py',
      args: [width, classes, featuresFile, labelsFile, changesFile, changesOfPeer],
      needs: 'sklearn',
    },
  },
};
