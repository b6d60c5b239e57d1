import type { TrainingConfigInput } from '../src/protocol/trainingConfig.ts';
import type { BenchCase } from './benchCase.ts';
import { passedImages, peersPassedImages } from './headPlan.ts';
import { forwardOperations, peerForwardOperations } from './operations.ts';
import { imagesUsed, prepareSubset, prepareWeights, subsetFolder, weightsFile } from './data.ts';

const network = 'densenet169';
const [trainBatches, validImages] = [12, 256];
const [peerTrainBatches, peerValidBatches] = [4, 2];

/** What of a configuration a case sets. */
export type HeadSettings = Pick<TrainingConfigInput, 'featureViews' | 'frozenPrecision'>;

/**
 * DenseNet-169 with a new head on flowers, from the files to the last checkpoint, beside a script in torch that does what
 * the report's did; with new augmentation each epoch and frozen layers in float32, unless `settings` say otherwise.
 */
export function headTrainingCase(title: string, goal: number, settings: HeadSettings = {}): BenchCase {
  return {
    how:
      `Five epochs of 205 batches of 32 with a validation of 817 images every 40 batches, added up from parts: ours from ` +
      `two whole epochs of ${trainBatches} batches (the first with compiling the network) with ` +
      `${validImages} validation images each, torch from ${peerTrainBatches} batches of training and ${peerValidBatches} of ` +
      `validation after one of warming up. Measured ${imagesUsed}, with random weights in both. Ours keeps the frozen ` +
      `layers' features of validation images, and what comes before its first step is counted; a later validation counts as measured, for fewer images.`,
    prepare: async () => {
      await prepareWeights(network);
      await prepareSubset(trainBatches * 32, validImages);
    },
    rounds: 3,
    figures: [
      {
        key: 'plan',
        title,
        unit: 's',
        better: 'less',
        goal,
        operations: passedImages(settings.featureViews === 1) * forwardOperations(network),
        peerOperations: peersPassedImages * peerForwardOperations(network),
        ...(settings.frozenPrecision === 'int8' && { int8: true }),
      },
    ],
    ours: {
      script: 'ours/headTraining.ts',
      args: [network, weightsFile(network), subsetFolder, JSON.stringify(settings)],
    },
    peers: {
      eager: { script: 'peers/headTraining.py', args: [network, subsetFolder, peerTrainBatches, peerValidBatches] },
    },
  };
}
