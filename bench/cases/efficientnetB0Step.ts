import { trainingStepCase } from '../trainingStepCase.ts';

export const benchCase = trainingStepCase('efficientnet_b0', 16, 1);
