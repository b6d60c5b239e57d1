import { basename } from 'node:path';
import { userError } from '../../protocol/errors.ts';
import { type Preprocessing, presetConstants, seesWholeImage } from '../../protocol/preprocessing.ts';
import type { ClassScores } from '../onnx/foreign/featuresAndScores.ts';
import type { TruncatedModel } from '../onnx/foreign/truncateModel.ts';

/**
 * The constants to prepare pixels with for an ONNX file that does not name any. `log` hears which, and why; it is given where
 * the user names none either. A file that rescales pixels itself is given those of 0 to 255. Networks with a background class
 * before ImageNet's 1000 come from TensorFlow's slim collection, which expects -1 to 1; of all others with channels first
 * ImageNet's mean and standard deviation are the most common. `scores` are the file's, if it has any. Throws a user error for
 * a file with channels last of which none of this is known: networks of Keras differ in what they expect.
 */
export function suggestedConstants(
  file: string,
  { channelsLast, rescalesPixels }: Pick<TruncatedModel, 'channelsLast' | 'rescalesPixels'>,
  scores: Pick<ClassScores, 'background'> | undefined,
  log?: (sentence: string) => void,
): Omit<Preprocessing, 'resize' | 'crop'> {
  const name = basename(file);
  if (rescalesPixels) {
    log?.(`No --preprocess is given for ${name}, and it rescales pixels itself, so it is given those of 0 to 255.`);
    return { scale: 1, mean: [0, 0, 0], std: [1, 1, 1], channels: 'rgb' };
  }
  if (channelsLast && log && scores?.background !== true) {
    throw userError(`${file} does not say what it expects of its pixels, and networks of Keras differ in that. Say it: --preprocess tf for -1 to 1, --preprocess imagenet or caffe-bgr, --scale 1/255 --mean 0 --std 1 for 0 to 1, --scale 1 --mean 0 --std 1 for 0 to 255.`); // prettier-ignore
  }
  const [preset, reason] = scores?.background
    ? (['tf', 'it has a background class, as TensorFlow’s networks have'] as const)
    : (['imagenet', 'that is the most common'] as const);
  log?.(`No --preprocess is given for ${name}, so ${preset} is taken: ${reason}.`);
  return presetConstants(preset);
}

/** Whether the user says what pixels are to become, and not only their size. */
export function saysPixels(given: Partial<Preprocessing> | undefined): boolean {
  return [given?.scale, given?.mean, given?.std, given?.channels].some((value) => value !== undefined);
}

/** How images are prepared, with what the user says in place of what is known. */
export function withGiven(known: Preprocessing, given: Partial<Preprocessing> | undefined): Preprocessing {
  const all = { ...known, ...given };
  return seesWholeImage(all.fit) ? { ...all, resize: all.crop } : all;
}
