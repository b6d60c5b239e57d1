import { inferenceCase } from '../inferenceCase.ts';

export const benchCase = inferenceCase('efficientnet_b0', 16, 1.5);
