import { inferenceCase } from '../inferenceCase.ts';

export const benchCase = inferenceCase('mobilenet_v3_large', 16, 1.5);
