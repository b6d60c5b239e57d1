import sharp from 'sharp';
import type { Metadata, ResizeOptions, Sharp } from 'sharp';
import type { Fit, Interpolation } from '../../protocol/preprocessing.ts';
import { decodeSeconds, maxAspectRatio, maxImagePixels } from './imageLimits.ts';
import type { ImageInput } from './imageInput.ts';
import { simpleJpegSize } from './jpegHeader.ts';
import { decodePlainJpeg, isPlainJpeg } from './plainJpeg.ts';
import type { SharedRoom } from './pixelKernels.ts';
import { resize } from './resize.ts';
import { resizedSize } from './rgbImage.ts';
import type { ResizedImage, ResizeTarget, Resizing, RgbImage } from './rgbImage.ts';
import { readImageFile, viewableImage } from './viewableImage.ts';
import type { DecodeGate, ViewableImage } from './viewableImage.ts';
import { undecodable } from './whyUndecodable.ts';

const formats: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp', 'heif', 'gif', 'tiff', 'raw']);

export interface DecodeOptions {
  /** Filter of the resize; bilinear without it. */
  readonly interpolation?: Interpolation | undefined;
  /** How the image will become a square; `crop` without it. */
  readonly fit?: Fit | undefined;
  /** Memory for the pixels of small JPEGs; each has its own without it. */
  readonly room?: SharedRoom | undefined;
  /** Lets a few threads at a time decode large images. */
  readonly gate?: DecodeGate;
}

/**
 * Decodes an image file, or its bytes, and resizes it to `side`, which is its short side unless `fit` says otherwise, as torchvision's
 * `Resize` does on Pillow images (antialiased): 8-bit RGB, EXIF orientation applied, embedded profiles and CMYK brought to sRGB, alpha dropped
 * as Pillow's `convert('RGB')` drops it, the first frame of an animation. Up to a million pixels the result is Pillow's to
 * the last bit (20 of 20 flowers; 47 of 50 photographs of ImageNet, whose others have a profile); larger images are
 * reduced by libvips, 0.4 levels of 255 from Pillow in the mean (one photograph).
 *
 * Throws a user error for a file that cannot be used; its message is a sentence that does not name the file.
 */
export async function decodeImage(
  input: ImageInput,
  side: number,
  { interpolation = 'bilinear', fit = 'crop', room, gate = (_, decode) => decode() }: DecodeOptions = {},
): Promise<ResizedImage> {
  try {
    const read = readImageFile(input);
    const simple = read.content && (await decodeSimpleJpeg(read.content, { side, fit, interpolation }, room));
    if (simple) return simple;
    const image = await viewableImage(read, gate);
    const metadata = await sharp(image.input, { ...image.options, limitInputPixels: false }).metadata();
    const source = checkHeader(metadata);
    return await gate(source.width * source.height, () =>
      decodePixels(image, { side, fit, interpolation }, metadata, source),
    );
  } catch (error) {
    throw undecodable(error);
  }
}

type Settled = Resizing & { readonly interpolation: Interpolation };

/** A small JPEG without anything special, which libvips need not see; undefined for all others. */
async function decodeSimpleJpeg(
  content: Uint8Array,
  resizing: Settled,
  room: SharedRoom | undefined,
): Promise<ResizedImage | undefined> {
  const source = simpleJpegSize(content);
  if (!source || source.width * source.height > maxWholePixels || isTooLong(source)) return undefined;
  const { interpolation } = resizing;
  const target = { ...resizedSize(source.width, source.height, resizing), interpolation };
  const image = await decodePlainJpeg(content, target, room);
  return image && { ...image, source };
}

async function decodePixels(
  image: ViewableImage,
  resizing: Settled,
  metadata: Metadata,
  source: ResizedImage['source'],
): Promise<ResizedImage> {
  const { width, height } = resizedSize(source.width, source.height, resizing);
  const { interpolation } = resizing;
  const resized = await resizedPixels(image, { width, height, interpolation }, metadata, source);
  if (resized.width !== width || resized.height !== height) {
    throw new Error(`decoded to ${resized.width}x${resized.height} instead of ${width}x${height}`);
  }
  return { ...resized, source };
}

/** Larger images are reduced by libvips, which does not hold the whole of them. */
const maxWholePixels = 2 ** 20;

async function resizedPixels(
  image: ViewableImage,
  target: ResizeTarget,
  metadata: Metadata,
  source: ResizedImage['source'],
): Promise<RgbImage> {
  const { width, height, interpolation } = target;
  const isSmall = source.width * source.height <= maxWholePixels;
  if (isSmall && isPlainJpeg(metadata) && typeof image.input !== 'string') {
    const plain = await decodePlainJpeg(image.input, target);
    if (plain) return plain;
  }
  const whole = metadata.hasAlpha ? await withoutAlpha(image) : opened(image);
  // libvips shifts by half a pixel of the output when it enlarges.
  if (isSmall || width * height > source.width * source.height) {
    return resize(await rgbPixels(whole), width, height, interpolation);
  }
  return rgbPixels(whole.resize(width, height, { ...reduction, kernel: kernels[interpolation] }));
}

const reduction: ResizeOptions = { fit: 'fill', fastShrinkOnLoad: false };
const kernels = { bilinear: 'linear', bicubic: 'cubic', lanczos: 'lanczos3' } as const satisfies Record<
  Interpolation,
  string
>;

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

function opened({ input, options }: ViewableImage): Sharp {
  return sharp(input, options).autoOrient();
}

/** The image before the resize, its alpha dropped: sharp's own resize would blacken what lies under it. */
async function withoutAlpha(image: ViewableImage): Promise<Sharp> {
  const { data, width, height } = await rgbPixels(opened(image).removeAlpha());
  return sharp(data, { raw: { width, height, channels: 3 } });
}
