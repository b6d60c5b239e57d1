import { basename } from 'node:path';
import { type Preprocessing, presetConstants } from '../../protocol/preprocessing.ts';
import type { ClassScores } from '../onnx/foreign/featuresAndScores.ts';

/**
 * The constants to prepare pixels with for an ONNX file if neither the user nor the file names any; `log` hears which, and
 * why. Networks with a background class before ImageNet's 1000 come from TensorFlow's slim collection, which expects -1 to
 * 1; of all others ImageNet's mean and standard deviation are the most common. `scores` are the file's, if it has any.
 */
export function suggestedConstants(
  file: string,
  scores: Pick<ClassScores, 'background'> | undefined,
  log?: (sentence: string) => void,
): Omit<Preprocessing, 'resize' | 'crop'> {
  const [preset, reason] = scores?.background
    ? (['tf', 'it has a background class, as TensorFlow’s networks have'] as const)
    : (['imagenet', 'that is the most common'] as const);
  log?.(`No --preprocess is given for ${basename(file)}, so ${preset} is taken: ${reason}.`);
  return presetConstants(preset);
}
