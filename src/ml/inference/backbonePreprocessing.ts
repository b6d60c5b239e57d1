import { readFile } from 'node:fs/promises';
import { userError } from '../../protocol/errors.ts';
import { preprocessPresets, type PreprocessPreset, type Preprocessing } from '../../protocol/preprocessing.ts';
import { readClassScores } from '../graph/onnx/backbone.ts';

/**
 * The preset to prepare pixels with for an ONNX file where the user names none, and why. Networks with a background class
 * before ImageNet's 1000 come from TensorFlow's slim collection, which expects -1 to 1; of all others ImageNet's mean and
 * standard deviation are the commonest.
 */
export function suggestPreset(model: Uint8Array): { readonly preset: PreprocessPreset; readonly reason: string } {
  return hasBackground(model)
    ? { preset: 'tf', reason: 'it has a background class, as TensorFlow’s networks have' }
    : { preset: 'imagenet', reason: 'that is the commonest' };
}

function hasBackground(model: Uint8Array): boolean {
  try {
    return readClassScores(model).background;
  } catch (error) {
    // A file may have features and no class scores.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** A preset's constants, free to change. */
export function presetConstants(preset: PreprocessPreset): Omit<Preprocessing, 'resize' | 'crop'> {
  const { scale, mean, std, channels } = preprocessPresets[preset];
  return { scale, mean: [...mean], std: [...std], channels };
}

/** The bytes of an ONNX file. Throws a user error where it cannot be read. */
export function readOnnxFile(file: string): Promise<Uint8Array> {
  return readFile(file).catch((error: unknown) => {
    throw userError(`${file} cannot be read; name an ONNX file.`, error);
  });
}
