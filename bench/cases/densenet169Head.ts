import { headTrainingCase } from '../headTrainingCase.ts';

export const benchCase = headTrainingCase(
  'DenseNet-169, head only, 5 epochs on flowers, new augmentation each epoch',
  4,
);
