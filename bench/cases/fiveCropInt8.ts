import { fiveCropCase, operationsOfImage } from '../fiveCropCase.ts';

export const benchCase = fiveCropCase(
  [
    {
      key: 'photo',
      title: 'five-crop prediction of a 12-megapixel JPEG in 8 bits, warm',
      unit: 's',
      better: 'less',
      goal: 4,
      operations: operationsOfImage,
      int8: true,
    },
    {
      key: 'many',
      title: 'five-crop prediction of many images in 8 bits, --precision int8',
      unit: 'images/s',
      better: 'more',
      goal: 4,
      operations: operationsOfImage,
      int8: true,
    },
  ],
  'int8',
);
