import { trainingStepCase } from '../trainingStepCase.ts';

export const benchCase = trainingStepCase('mobilenet_v3_large', 16, 1);
