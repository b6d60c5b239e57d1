import { trainingStepCase } from '../trainingStepCase.ts';

export const benchCase = trainingStepCase('convnext_tiny', 8, 1);
