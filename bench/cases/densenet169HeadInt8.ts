import { headTrainingCase } from '../headTrainingCase.ts';

export const benchCase = headTrainingCase('the same with frozen layers in 8 bits, --frozen-precision int8', 9, {
  frozenPrecision: 'int8',
});
