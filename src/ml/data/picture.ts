import sharp from 'sharp';
import { userError } from '../../protocol/errors.ts';
import { readImageFile, viewableImage } from './viewableImage.ts';
import { undecodable } from './whyUndecodable.ts';

/** A small JPEG of an image, and the size of the image itself as a viewer shows it. */
export interface Picture {
  /** Data URL. */
  readonly picture: string;
  readonly width: number;
  readonly height: number;
}

/**
 * An image as a viewer shows it, EXIF orientation applied, on white where it is transparent, at most `size` pixels on its
 * long side. Throws a user error for a file that does not decode.
 */
export async function pictureOf(file: string, size: number): Promise<Picture> {
  try {
    const { input, options } = await viewableImage(readImageFile(file), (_, decode) => decode());
    const image = sharp(input, options);
    const { width, height } = (await image.metadata()).autoOrient;
    const jpeg = await image
      .autoOrient()
      .resize(size, size, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .jpeg({ quality: 82 })
      .toBuffer();
    return { picture: `data:image/jpeg;base64,${jpeg.toString('base64')}`, width, height };
  } catch (error) {
    throw userError(`${file} cannot be shown: ${undecodable(error).message}`, error);
  }
}
