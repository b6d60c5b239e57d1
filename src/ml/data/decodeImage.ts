import { readFileSync, statSync } from 'node:fs';
import sharp from 'sharp';
import type { Metadata, ResizeOptions, Sharp, SharpOptions } from 'sharp';
import { messageOf, userError } from '../../protocol/errors.ts';
import { simpleJpegSize } from './jpegHeader.ts';
import { decodePlainJpeg, isPlainJpeg } from './plainJpeg.ts';
import { resize } from './resize.ts';
import { resizedSize } from './rgbImage.ts';
import type { ResizedImage, RgbImage } from './rgbImage.ts';

/** Larger images are refused: decoded, 16 bits and alpha included, they would take more than 1 GB. */
export const maxImagePixels = 120_000_000;
/** Narrower images are refused: resized by their short side they would be of any size. */
export const maxAspectRatio = 64;
/** Longest time that one file may take to decode. */
const decodeSeconds = 60;

const formats: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp', 'heif', 'gif', 'tiff']);

const inputOptions: SharpOptions = {
  // What libjpeg calls a warning (stray bytes between markers) Pillow and browsers show without a word.
  failOn: 'error',
  limitInputPixels: maxImagePixels,
  pages: 1,
};

// One thread an image: images are decoded side by side. Nothing is read twice, so libvips need not remember.
sharp.concurrency(1);
sharp.cache(false);

/** Runs a decode of so many pixels when there is room for it. */
export type DecodeGate = <Result>(pixels: number, decode: () => Promise<Result>) => Promise<Result>;

/**
 * Decodes an image file and resizes its short side to `shortSide` as torchvision's `Resize` does on Pillow images
 * (bilinear, antialiased): 8-bit RGB, EXIF orientation applied, embedded profiles and CMYK brought to sRGB, alpha dropped
 * as Pillow's `convert('RGB')` drops it, the first frame of an animation. Up to a million pixels the result is Pillow's to
 * the last bit (20 of 20 flowers; 47 of 50 photographs of ImageNet, whose others have a profile); larger images are
 * reduced by libvips, 0.4 levels of 255 from Pillow in the mean (one photograph).
 *
 * Throws a user error for a file that cannot be used; its message is a sentence that does not name the file.
 */
export async function decodeImage(
  file: string,
  shortSide: number,
  gate: DecodeGate = (_, decode) => decode(),
): Promise<ResizedImage> {
  try {
    const input = readWhole(file);
    const simple = typeof input === 'string' ? undefined : await decodeSimpleJpeg(input, shortSide);
    if (simple) return simple;
    const metadata = await sharp(input, { ...inputOptions, limitInputPixels: false }).metadata();
    const source = checkHeader(metadata);
    return await gate(source.width * source.height, () => decodePixels(input, shortSide, metadata, source));
  } catch (error) {
    throw userError(reasonOf(messageOf(error)), error);
  }
}

/** Larger files are left to libvips, which reads them bit by bit. */
const maxWholeBytes = 32 * 2 ** 20;

/**
 * A file's bytes, which libvips decodes with half the work that it has with a small file's name; or the name. Read in this
 * thread: handing a small file to another one and back takes longer.
 */
function readWhole(file: string): Buffer | string {
  return statSync(file).size > maxWholeBytes ? file : readFileSync(file);
}

/** A small JPEG without anything special, which libvips need not see; undefined for all others. */
async function decodeSimpleJpeg(content: Uint8Array, shortSide: number): Promise<ResizedImage | undefined> {
  const source = simpleJpegSize(content);
  if (!source || source.width * source.height > maxWholePixels || isTooLong(source)) return undefined;
  const image = await decodePlainJpeg(content, resizedSize(source.width, source.height, shortSide));
  return image && { ...image, source };
}

async function decodePixels(
  input: Buffer | string,
  shortSide: number,
  metadata: Metadata,
  source: ResizedImage['source'],
): Promise<ResizedImage> {
  const { width, height } = resizedSize(source.width, source.height, shortSide);
  const resized = await resizedPixels(input, width, height, metadata, source);
  if (resized.width !== width || resized.height !== height) {
    throw new Error(`decoded to ${resized.width}x${resized.height} instead of ${width}x${height}`);
  }
  return { ...resized, source };
}

/** Larger images are reduced by libvips, which does not hold the whole of them. */
const maxWholePixels = 2 ** 20;

async function resizedPixels(
  input: Buffer | string,
  width: number,
  height: number,
  metadata: Metadata,
  source: ResizedImage['source'],
): Promise<RgbImage> {
  const isSmall = source.width * source.height <= maxWholePixels;
  if (isSmall && isPlainJpeg(metadata) && typeof input !== 'string') {
    const image = await decodePlainJpeg(input, { width, height });
    if (image) return image;
  }
  const whole = metadata.hasAlpha ? await withoutAlpha(input) : sharp(input, inputOptions).autoOrient();
  // libvips shifts by half a pixel of the output when it enlarges.
  if (isSmall || width * height > source.width * source.height) {
    return resize(await rgbPixels(whole), width, height);
  }
  return rgbPixels(whole.resize(width, height, reduction));
}

const reduction: ResizeOptions = { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false };

async function rgbPixels(pipeline: Sharp): Promise<RgbImage> {
  const { data, info } = await pipeline
    .toColourspace('srgb')
    .timeout({ seconds: decodeSeconds })
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`decoded to ${info.channels} channels`);
  return { width: info.width, height: info.height, data };
}

/** Size as a viewer shows it. */
function checkHeader(metadata: Metadata): { width: number; height: number } {
  const { width, height } = metadata.autoOrient;
  if (!formats.has(metadata.format)) throw new Error(`unsupported image format ${metadata.format}`);
  if (width * height > maxImagePixels) throw new Error('exceeds pixel limit');
  if (isTooLong({ width, height })) throw new Error('exceeds aspect ratio');
  return { width, height };
}

function isTooLong({ width, height }: { width: number; height: number }): boolean {
  return Math.max(width, height) > maxAspectRatio * Math.min(width, height);
}

/** The image before the resize, its alpha dropped: sharp's own resize would blacken what lies under it. */
async function withoutAlpha(input: Buffer | string): Promise<Sharp> {
  const { data, width, height } = await rgbPixels(sharp(input, inputOptions).autoOrient().removeAlpha());
  return sharp(data, { raw: { width, height, channels: 3 } });
}

const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/pixel limit/i, `The image has more than ${maxImagePixels / 1e6} million pixels; save a smaller copy to use it.`],
  [
    /aspect ratio/i,
    `One side of the image is more than ${maxAspectRatio} times as long as the other; crop it to use it.`,
  ],
  [
    /premature end|truncated|unexpected end|libpng read error|unexpected eof|partial data/i,
    'The file is cut short or damaged; replace it with a complete copy.',
  ],
  [/is missing|no such file|ENOENT/i, 'The file is no longer there.'],
  [/permission|EACCES|EPERM/i, 'The file may not be read; change its permissions.'],
  [/timeout/i, `The file takes longer than ${decodeSeconds} s to decode; save a smaller copy to use it.`],
  [
    /unsupported image format|unsupported codec|no decod|compression format has not been built/i,
    'The file is in no format that can be read; save it as JPEG, PNG, WebP, AVIF, GIF or TIFF.',
  ],
  [/corrupt header|invalid frame/i, 'The header of the file is damaged; replace it with a complete copy.'],
];

function reasonOf(message: string): string {
  const known = reasons.find(([pattern]) => pattern.test(message));
  const [firstLine = ''] = message.split('\n');
  return known?.[1] ?? `The file does not decode (${firstLine.trim()}); replace it or leave it out.`;
}
