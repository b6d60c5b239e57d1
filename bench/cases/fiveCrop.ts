import { fiveCropCase, operationsOfImage } from '../fiveCropCase.ts';

export const benchCase = fiveCropCase(
  [
    {
      key: 'photo',
      title: 'five-crop prediction of a 12-megapixel JPEG, warm',
      unit: 's',
      better: 'less',
      goal: 1.5,
      operations: operationsOfImage,
    },
    {
      key: 'many',
      title: 'five-crop prediction of many images',
      unit: 'images/s',
      better: 'more',
      goal: 1.5,
      operations: operationsOfImage,
    },
  ],
  'float32',
);
