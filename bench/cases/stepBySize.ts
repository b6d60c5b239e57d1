import type { BenchCase, Side } from '../benchCase.ts';
import { prepareWeights, weightsFile } from '../data.ts';

const network = 'resnet18';
const steps = 60;
const classes = 100;

function sideOf(images: number): Side {
  return { script: 'ours/stepTime.ts', args: [network, weightsFile(network), classes, images / classes, steps] };
}

export const benchCase: BenchCase = {
  how:
    `The median of ${steps} steps of the first epoch, from one to the next as the run tells of them: a new head of ` +
    `${classes} classes on ResNet-18 at 32 pixels, batch 8, small JPEGs that are decoded for it. The peer is the same with ` +
    `1,000 images. Steps count from the end of the check of the data on, which runs beside the first of them.`,
  prepare: () => prepareWeights(network),
  rounds: 2,
  figures: [
    {
      key: 'step',
      title: 'training step with 100,000 images; peer: ours with 1,000',
      unit: 'ms',
      better: 'less',
      goal: 0.9,
    },
  ],
  ours: sideOf(100_000),
  peers: { '1,000 images': sideOf(1000) },
};
