import { fiveCropCase } from '../fiveCropCase.ts';

export const benchCase = fiveCropCase(
  [
    {
      key: 'many',
      title: 'five-crop prediction of many images in 8 bits, --precision int8',
      unit: 'images/s',
      better: 'more',
      goal: 3,
    },
  ],
  'int8',
);
