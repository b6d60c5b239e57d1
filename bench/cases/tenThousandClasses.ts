import type { BenchCase, FigureSpec } from '../benchCase.ts';
import { builtCommandMissing } from '../builtCommand.ts';
import { prepareWeights, weightsFile } from '../data.ts';
import { forwardOperations } from '../operations.ts';

const network = 'resnet18';
const [classes, images] = [10_000, 3];
const [features, hidden, batch, size] = [512, 1024, 128, 32];

/** The frozen network forward, and the head's products: forward, by the weights, and by the input but for the first layer's. */
const stepOperations = batch * (forwardOperations(network, size) + 2 * (2 * features * hidden + 3 * hidden * classes));

function figure(key: string, title: string, unit: FigureSpec['unit'], goal: number): FigureSpec {
  return { key, title: `10,000 classes: ${title}`, unit, better: 'less', goal };
}

export const benchCase: BenchCase = {
  ...builtCommandMissing(),
  how:
    `${classes} folders of ${images} small JPEGs: the scan and the check of the data as a run does them, then in the shell ` +
    `an epoch of a new head with 1,024 hidden units on ResNet-18 at 32 pixels, batch 128, a test of one image a class, and ` +
    `a prediction of ${images}, each from the start of its process. Memory is the peak of the process that trains.`,
  prepare: () => prepareWeights(network),
  rounds: 1,
  figures: [
    figure('scan', 'scan', 's', 5),
    figure('check', 'check of the data', 's', 15),
    figure('first', 'from Train to the first step', 's', 5),
    { ...figure('step', `step, batch ${batch}`, 'ms', 150), operations: stepOperations },
    figure('memory', 'peak memory of the training', 'MiB', 1536),
    figure('saving', 'checkpoint written', 's', 2),
    figure('test', 'test of 10,000 images, with its record', 's', 60),
    figure('predict', 'prediction of 3 images over five crops', 's', 10),
  ],
  ours: { script: 'ours/tenThousandClasses.ts', args: [network, weightsFile(network), classes, images] },
  peers: {},
};
