import { usageError } from '../../protocol/errors.ts';
import { type Fit, seesWholeImage } from '../../protocol/preprocessing.ts';
import { cropNames } from '../../protocol/prediction.ts';
import type { CropName, CropPrediction } from '../../protocol/prediction.ts';
import { centreOffset, cropPlanes } from './centreCrop.ts';
import type { ResizedImage } from './rgbImage.ts';

/** One crop of an image as a network's input. */
export interface Crop {
  readonly name: CropName;
  /** Where it lies, in pixels of the original image, EXIF orientation applied. */
  readonly frame: CropPrediction['frame'];
  /** What `pixels` show, in the same pixels: with the fit `pad` more than the image, else `frame`. */
  readonly shown: CropPrediction['frame'];
  /** `[3, size, size]`, 8 bits, R, G, B. */
  readonly pixels: Uint8Array;
}

/** How many crops there are: of a network that sees whole images, one. */
export function cropCountFor(fit: Fit | undefined, wanted: 1 | 5): 1 | 5 {
  return seesWholeImage(fit) ? 1 : wanted;
}

/**
 * The report's crops of a resized image: centre, upper left, lower left, lower right, upper right, or the centre alone.
 * With the fits `pad` and `squash` there is one crop, the whole image. Throws a usage error where the image is smaller than
 * the crop.
 */
export function cropImage(image: ResizedImage, size: number, count: 1 | 5, fit?: Fit): readonly Crop[] {
  const { width, height, source } = image;
  const scaleX = source.width / width;
  const scaleY = source.height / height;
  const frameAt = ({ left, top }: { left: number; top: number }): CropPrediction['frame'] => {
    return { left: left * scaleX, top: top * scaleY, width: size * scaleX, height: size * scaleY };
  };
  if (seesWholeImage(fit)) {
    const offset = centreOffset(width, height, size);
    const frame = { left: 0, top: 0, ...source };
    return [{ name: 'center', frame, shown: frameAt(offset), pixels: cropPlanes(image, offset, size) }];
  }
  if (Math.min(width, height) < size) {
    throw usageError(
      `The short side ${Math.min(width, height)} is smaller than the crop ${size}; give a larger --resize.`,
    );
  }
  const right = width - size;
  const bottom = height - size;
  const offsets: Record<CropName, { left: number; top: number }> = {
    center: centreOffset(width, height, size),
    'upper left': { left: 0, top: 0 },
    'lower left': { left: 0, top: bottom },
    'lower right': { left: right, top: bottom },
    'upper right': { left: right, top: 0 },
  };
  return cropNames.slice(0, count).map((name) => {
    const offset = offsets[name];
    const frame = frameAt(offset);
    return { name, frame, shown: frame, pixels: cropPlanes(image, offset, size) };
  });
}
