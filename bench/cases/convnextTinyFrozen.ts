import { inferenceCase } from '../inferenceCase.ts';

export const benchCase = inferenceCase('convnext_tiny', 8, 1.5);
