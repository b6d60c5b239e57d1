import { userError } from '../../protocol/errors.ts';
import { mostPixels } from '../../protocol/bounded.ts';
import type { ExportedFacts } from './exportedFacts.ts';
import { pythonNames } from './pythonNames.ts';
import type { TruncatedModel } from '../onnx/foreign/truncateModel.ts';

/**
 * What an ONNX file that Ultralytics exported for classification says of its pixels and classes: the short side is resized to
 * `imgsz`, bilinear, the center is cut out, and pixels are 0 to 1 (`classify_transforms` in ultralytics/data/augment.py).
 * Undefined for any other file. Throws a user error for one of Ultralytics' that does something else, and where what it says
 * is damaged.
 */
export function ultralyticsFacts(
  file: string,
  { metadata }: Pick<TruncatedModel, 'metadata'>,
): ExportedFacts | undefined {
  if (metadata.get('author') !== 'Ultralytics') return undefined;
  const task = metadata.get('task');
  if (task !== 'classify') throw userError(`${file} is a model of Ultralytics’ for the task ${task ?? 'that it does not name'}: give one for classify.`); // prettier-ignore
  const names = pythonNames(metadata.get('names') ?? '');
  const size = squareSize(metadata.get('imgsz') ?? '');
  if (!names || size === undefined || (metadata.get('channels') ?? '3') !== '3') {
    const what = !names ? 'names' : size === undefined ? 'imgsz' : 'channels';
    throw userError(`${file} was exported by Ultralytics, but its metadata \`${what}\` cannot be used: export it again for square color images.`); // prettier-ignore
  }
  return {
    preprocessing: { resize: size, crop: size, scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1], channels: 'rgb' },
    labels: names.map((name, index) => ({ index, folder: name, name })),
    calibration: undefined,
  };
}

/** `[224, 224]` or `224`. */
function squareSize(text: string): number | undefined {
  const [, height, width = height] = /^\[?(\d{1,5})(?:, ?(\d{1,5}))?\]?$/u.exec(text.trim()) ?? [];
  const size = Number(height);
  return height === width && size >= 1 && size <= mostPixels ? size : undefined;
}
