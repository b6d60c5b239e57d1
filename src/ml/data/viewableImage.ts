import sharp from 'sharp';
import type { SharpOptions } from 'sharp';
import { userError } from '../../protocol/errors.ts';
import { formatHeadBytes, formatOf } from './imageFormat.ts';
import type { MagickFormat } from './imageFormat.ts';
import type { ImageInput } from './imageInput.ts';
import { decodeSeconds, maxImagePixels, maxRareImageBytes, maxRareImagePixels } from './imageLimits.ts';
import { magickSize, magickTiff } from './magick.ts';
import { type OpenImage, withOpenImage } from './openImage.ts';
import { decodeTarga, targaSize } from './targa.ts';
import { readTiffHeader } from './tiffHeader.ts';
import type { TiffHeader } from './tiffHeader.ts';
import { isYcbcr, numbersAsBytes, tiffReading } from './tiffSamples.ts';

/** Runs a decode of so many pixels when there is room for it. */
export type DecodeGate = <Result>(pixels: number, decode: () => Promise<Result>) => Promise<Result>;

/** An image as libvips reads it: a file's bytes or name, or pixels. */
export interface ViewableImage {
  readonly input: Buffer | string;
  readonly options: SharpOptions;
}

/** A file that was looked at, or its bytes in memory. */
export interface ImageFile {
  /** Its path; of bytes in memory, which are all in `content`, their name. */
  readonly file: string;
  /** Its bytes; undefined if they are many: libvips reads those bit by bit. */
  readonly content: Buffer | undefined;
  readonly head: Uint8Array;
  readonly bytes: number;
  readonly tiff: TiffHeader | undefined;
}

// One thread an image: images are decoded side by side. Nothing is read twice, so libvips need not remember.
sharp.concurrency(1);
sharp.cache(false);

const options: SharpOptions = {
  // What libjpeg calls a warning (stray bytes between markers) Pillow and browsers show without a word.
  failOn: 'error',
  limitInputPixels: maxImagePixels,
  pages: 1,
};

/** Larger files are not read whole. */
const maxWholeBytes = 32 * 2 ** 20;

/**
 * Reads a file, which libvips then decodes with half the work that it has with a small file's name. Read in this thread:
 * handing a small file to another one and back takes longer. Throws as `withOpenImage` does.
 */
export function readImageFile(input: ImageInput): ImageFile {
  if (typeof input !== 'string') {
    const { name, content } = input;
    const whole = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    return lookAt(name, whole, { bytes: whole.length, read: (at, length) => whole.subarray(at, at + length) });
  }
  return withOpenImage(input, (image) => {
    const content = image.bytes > maxWholeBytes ? undefined : image.read(0, image.bytes);
    return lookAt(input, content, image);
  });
}

function lookAt(file: string, content: Buffer | undefined, { bytes, read }: OpenImage): ImageFile {
  const head = content?.subarray(0, formatHeadBytes) ?? read(0, formatHeadBytes);
  const isTiff = formatOf(head, file).decoder === 'tiff';
  return { file, content, head, bytes, tiff: isTiff ? readTiffHeader(read) : undefined };
}

/**
 * Brings an image of whatever format to one that libvips reads. Most are left as they are; what another decoder has to be
 * asked for passes `gate` with its number of pixels. Throws a user error for what nobody decodes.
 */
export async function viewableImage(image: ImageFile, gate: DecodeGate): Promise<ViewableImage> {
  const { file, content, head, tiff } = image;
  if (image.bytes === 0) throw userError('The file is empty; replace it or leave it out.');
  const asItIs = { input: content ?? file, options };
  const format = formatOf(head, file);
  switch (format.decoder) {
    case 'none':
      throw userError(format.reason);
    case 'libvips':
      return asItIs;
    case 'tiff':
      return tiff ? viewableTiff(image, tiff, asItIs, gate) : asItIs;
    case 'targa': {
      const whole = image.content ?? sharedContent(image);
      const size = targaSize(whole);
      return gate(checkedPixels(size), () => {
        const { data, ...sides } = decodeTarga(whole);
        return Promise.resolve({ input: Buffer.from(data.buffer), options: { raw: { ...sides, channels: 3 } } });
      });
    }
    case 'imageMagick':
      return byMagick(image, format.name, false, gate);
  }
}

function viewableTiff(
  image: ImageFile,
  header: TiffHeader,
  asItIs: ViewableImage,
  gate: DecodeGate,
): Promise<ViewableImage> | ViewableImage {
  const reading = tiffReading(header);
  // Both decoders leave tiles black that are not there, and libvips those that it cannot decode unless it is told to be strict.
  if (header.tilesEnd > image.bytes) throw userError('The file is cut short; replace it with a complete copy.');
  const strict: SharpOptions = header.tiled ? { ...asItIs.options, failOn: 'warning' } : asItIs.options;
  if (reading === 'libvips') return { ...asItIs, options: strict };
  if (typeof reading === 'object') throw userError(reading.reason);
  if (reading === 'imageMagick') return byMagick(image, 'TIFF', isYcbcr(header), gate);
  return gate(header.width * header.height, async () => {
    const { data, raw } = await numbersAsBytes(asItIs.input, strict, header);
    return { input: data, options: { raw } };
  });
}

async function byMagick(
  image: ImageFile,
  format: MagickFormat,
  isFlipped: boolean,
  gate: DecodeGate,
): Promise<ViewableImage> {
  const content = sharedContent(image);
  const pixels = checkedPixels(await magickSize({ content, format }, decodeSeconds));
  const input = await gate(pixels, () => magickTiff({ content, format, isFlipped }, decodeSeconds));
  return { input, options };
}

/** Read in pieces, so that a large file is not held twice. */
const pieceBytes = 4 * 2 ** 20;

/** A file's bytes in memory that threads can share. Throws a user error for too many. */
function sharedContent({ file, content, bytes }: ImageFile): Uint8Array<SharedArrayBuffer> {
  if (bytes > maxRareImageBytes) {
    throw userError(`The file has more than ${maxRareImageBytes / 2 ** 20} MB; save it as JPEG or PNG.`);
  }
  const shared = new Uint8Array(new SharedArrayBuffer(bytes));
  if (content) shared.set(content);
  else {
    withOpenImage(file, ({ read }) => {
      for (let at = 0; at < bytes; at += pieceBytes) shared.set(read(at, Math.min(pieceBytes, bytes - at)), at);
    });
  }
  return shared;
}

function checkedPixels({ width, height }: { readonly width: number; readonly height: number }): number {
  if (width * height <= maxRareImagePixels) return width * height;
  const limit = maxRareImagePixels / 1e6;
  throw userError(`The image has more than ${limit} million pixels, the limit for its format; save it as JPEG.`);
}
