import { trainingStepCase } from '../trainingStepCase.ts';

export const benchCase = trainingStepCase('densenet169', 16, 1.2);
