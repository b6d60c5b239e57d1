import { headTrainingCase } from '../headTrainingCase.ts';

export const benchCase = headTrainingCase('the same with both, --feature-views 1 --frozen-precision int8', 20, {
  featureViews: 1,
  frozenPrecision: 'int8',
});
