import { createRequire } from 'node:module';
import type { Metadata } from 'sharp';
import { resize } from './resize.ts';
import type { RgbImage } from './rgbImage.ts';

/** The package's decoder, as far as it is used; it brings no types. */
interface JpegDecoder {
  /** The place for a file of so many bytes. */
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
}
type DecoderFactory = () => Promise<{ readonly JPEGDecoder: new () => JpegDecoder }>;

const require = createRequire(import.meta.url);
let opened: JpegDecoder | undefined;

async function open(): Promise<JpegDecoder> {
  const factory = require('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs') as DecoderFactory;
  const { JPEGDecoder } = await factory();
  return new JPEGDecoder();
}

/** Whether a file is a JPEG whose pixels are those to be shown: upright, and without a profile to convert them by. */
export function isPlainJpeg({ format, orientation = 1, hasProfile, space, channels }: Metadata): boolean {
  return format === 'jpeg' && orientation === 1 && !hasProfile && space === 'srgb' && channels === 3;
}

/**
 * A plain JPEG's pixels, resized at once since they lie in the decoder's memory. They are libjpeg-turbo's to the last bit,
 * as Pillow and libvips have them; libvips takes three times as long for a small image, since it hands it from thread to
 * thread. `undefined` where the decoder finds anything amiss: what, another one will tell.
 */
export async function decodePlainJpeg(
  content: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<RgbImage | undefined> {
  const decoder = (opened ??= await open());
  try {
    decoder.getEncodedBuffer(content.length).set(content);
    decoder.decode();
  } catch {
    // What it held is lost with the exception, so the next image gets a new one.
    opened = undefined;
    return undefined;
  }
  const frame = decoder.getFrameInfo();
  const pixels = { width: frame.width, height: frame.height, data: decoder.getDecodedBuffer() };
  return frame.componentCount === 3 ? resize(pixels, width, height) : undefined;
}
