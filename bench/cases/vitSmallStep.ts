import { trainingStepCase } from '../trainingStepCase.ts';

export const benchCase = trainingStepCase('timm/vit_small_patch16_224.augreg_in21k_ft_in1k', 16, 1);
