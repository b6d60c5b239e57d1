import { messageOf } from '../../protocol/errors.ts';
import type { FailedPrediction } from '../../protocol/prediction.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { decodeImage } from './decodeImage.ts';
import { cropImage, type Crop } from './fiveCrops.ts';
import { type ImageInput, nameOfImage } from './imageInput.ts';
import type { DecodeGate } from './viewableImage.ts';

/** How images become crops. */
export interface CropOptions extends Pick<Preprocessing, 'interpolation' | 'fit'> {
  /** Short side before the crops, in pixels, unless `fit` says otherwise. */
  readonly resize: number;
  /** Side of a crop in pixels. */
  readonly size: number;
  readonly cropCount: 1 | 5;
}

/** An image cut into crops, or why there are none. `width` and `height` are those of the image as a viewer shows it. */
export type CroppedImage =
  | { readonly image: string; readonly width: number; readonly height: number; readonly crops: readonly Crop[] }
  | FailedPrediction;

/** Decodes, resizes and crops one image. Never throws: what cannot be decoded gives its reason. */
export async function decodeCrops(
  input: ImageInput,
  { resize, interpolation, fit, size, cropCount }: CropOptions,
  gate?: DecodeGate,
): Promise<CroppedImage> {
  const image = nameOfImage(input);
  try {
    const decoded = await decodeImage(input, resize, { interpolation, fit, ...(gate ? { gate } : {}) });
    return { image, ...decoded.source, crops: cropImage(decoded, size, cropCount, fit) };
  } catch (error) {
    return { image, error: messageOf(error) };
  }
}
