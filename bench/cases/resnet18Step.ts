import { trainingStepCase } from '../trainingStepCase.ts';

export const benchCase = trainingStepCase('resnet18', 32, 1.1);
