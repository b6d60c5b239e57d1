import { headTrainingCase } from '../headTrainingCase.ts';

export const benchCase = headTrainingCase('the same with kept features of one view, --feature-views 1', 20, {
  featureViews: 1,
});
