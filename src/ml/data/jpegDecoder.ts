import type { RgbImage } from './rgbImage.ts';

/** Decodes plain JPEGs. One a thread. */
export interface JpegDecoder {
  /**
   * The pixels of a JPEG of three channels, decoded as libjpeg-turbo does by its accurate transform; they stay until the
   * next call, or the next work on other pixels. `undefined` if the decoder finds anything amiss.
   */
  decode(content: Uint8Array): RgbImage | undefined;
}
