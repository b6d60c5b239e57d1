import type { Metadata } from 'sharp';
import type { JpegDecoder } from './jpegDecoder.ts';
import { nativeJpegDecoder } from './nativeJpeg.ts';
import type { SharedRoom } from './pixelKernels.ts';
import { resize } from './resize.ts';
import type { ResizeTarget, RgbImage } from './rgbImage.ts';
import { wasmJpegDecoder } from './wasmJpeg.ts';

let opened: JpegDecoder | undefined;

/** Whether a file is a JPEG whose pixels are those to be shown: upright, and without a profile to convert them by. */
export function isPlainJpeg({ format, orientation = 1, hasProfile, space, channels }: Metadata): boolean {
  return format === 'jpeg' && orientation === 1 && !hasProfile && space === 'srgb' && channels === 3;
}

/**
 * A plain JPEG's pixels, resized at once since they lie in the decoder's memory. They are libjpeg-turbo's to the last bit,
 * as Pillow and libvips have them; libvips takes three times as long as WebAssembly for a small image, since it hands it
 * from thread to thread. `undefined` if the decoder finds anything amiss: what, another one will tell.
 */
export async function decodePlainJpeg(
  content: Uint8Array,
  { width, height, interpolation }: ResizeTarget,
  room?: SharedRoom,
): Promise<RgbImage | undefined> {
  opened ??= nativeJpegDecoder() ?? (await wasmJpegDecoder());
  const image = opened.decode(content);
  return image && resize(image, width, height, interpolation, room);
}
