import { trainingStepCase } from '../trainingStepCase.ts';

export const benchCase = trainingStepCase('ConvNet2', 32, 1.2);
