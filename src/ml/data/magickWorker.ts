import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import {
  ColorSpace,
  ColorType,
  CompressionMethod,
  initializeImageMagick,
  MagickError,
  MagickErrorSeverity,
  MagickFormat as Format,
  MagickImage as Image,
  MagickImageInfo,
  MagickReadSettings,
  Orientation,
  ResourceLimits,
} from '@imagemagick/magick-wasm';
import type { IMagickImage } from '@imagemagick/magick-wasm';
import { maxRareImagePixels } from './imageLimits.ts';
import type { MagickAnswer, MagickImage, MagickRequest } from './magick.ts';

const formats = {
  BMP: Format.Bmp,
  PNM: Format.Pnm,
  HEIC: Format.Heic,
  JXL: Format.Jxl,
  QOI: Format.Qoi,
  TIFF: Format.Tiff,
};

const wasm = readFileSync(createRequire(import.meta.url).resolve('@imagemagick/magick-wasm/magick.wasm'));
const ready = initializeImageMagick(wasm).then(() => {
  // A header may lie about the size of what follows it.
  ResourceLimits.area = BigInt(maxRareImagePixels);
  ResourceLimits.disk = 0n;
});

parentPort?.on('message', (request: MagickRequest) => {
  void ready.then(() => answer(request));
});

function answer(request: MagickRequest): void {
  try {
    if (request.wish === 'size') send(sizeOf(request));
    else {
      const tiff = tiffOf(request);
      send({ tiff }, [tiff.buffer]);
    }
  } catch (error) {
    // Anything else, as a trap, ends the thread.
    if (!(error instanceof MagickError)) throw error;
    send({ error: error.message });
  }
}

function send(message: MagickAnswer, transferred: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transferred);
}

function sizeOf(image: MagickImage): { width: number; height: number } {
  const { width, height } = MagickImageInfo.create(prepared(image), readSettings(image));
  return { width, height };
}

/** Colours that are taken as they are. What says that it is linear (QOI) is shown as if it were not. */
const asTheyAre = new Set<ColorSpace>([ColorSpace.Gray, ColorSpace.LinearGray, ColorSpace.RGB, ColorSpace.sRGB]);

function tiffOf(request: MagickImage): Uint8Array<ArrayBuffer> {
  const image = Image.create();
  try {
    let damage: MagickError | undefined;
    image.onWarning = ({ error }) => {
      if (error.severity === MagickErrorSeverity.CorruptImageWarning) damage = error;
    };
    image.read(prepared(request), readSettings(request));
    if (damage) throw damage;
    turnUpright(image, request);
    if (!asTheyAre.has(image.colorSpace)) image.colorSpace = ColorSpace.sRGB;
    for (const name of image.profileNames) if (name !== 'icc') image.removeProfile(name);
    image.depth = 8;
    image.settings.compression = CompressionMethod.NoCompression;
    // Else it is grey if the file was in planes.
    image.settings.colorType = image.hasAlpha ? ColorType.TrueColorAlpha : ColorType.TrueColor;
    return image.write(Format.Tiff, (bytes) => bytes.slice());
  } finally {
    image.dispose();
  }
}

function readSettings({ format }: MagickImage): MagickReadSettings {
  const settings = new MagickReadSettings({ format: formats[format], frameIndex: 0, frameCount: 1 });
  // The size of a file that its own header says is as often wrong as right.
  settings.setDefine(Format.Bmp, 'ignore-filesize', true);
  return settings;
}

/** What is left of an orientation once libtiff has flipped the image: it turns none by a quarter. */
const leftToDo: Readonly<Record<number, Orientation>> = {
  [Orientation.LeftTop]: Orientation.LeftTop,
  [Orientation.RightTop]: Orientation.RightBottom,
  [Orientation.RightBottom]: Orientation.LeftTop,
  [Orientation.LeftBottom]: Orientation.RightBottom,
};

function turnUpright(image: IMagickImage, { format, isFlipped }: MagickImage): void {
  const { orientation } = image;
  // libheif has turned the image as the file's own boxes say; what EXIF says is of the camera.
  if (format === 'HEIC') image.orientation = Orientation.TopLeft;
  if (isFlipped) image.orientation = leftToDo[orientation] ?? Orientation.TopLeft;
  image.autoOrient();
  image.orientation = Orientation.TopLeft;
}

/** The file without what ImageMagick takes the wrong way. */
function prepared({ content, format }: MagickImage): Uint8Array {
  return format === 'BMP' ? withWindowsHeader(content) : format === 'HEIC' ? withoutSequence(content) : content;
}

/**
 * ImageMagick reads the palette of OS/2's longest header at the wrong place. Its first 40 bytes are Windows' header, so it
 * goes without the rest.
 */
function withWindowsHeader(content: Uint8Array): Uint8Array {
  const [fileHeader, windowsHeader, os2Header] = [14, 40, 64];
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (content.length < fileHeader + os2Header || view.getUint32(fileHeader, true) !== os2Header) return content;
  const plain = new Uint8Array(content.length - (os2Header - windowsHeader));
  plain.set(content.subarray(0, fileHeader + windowsHeader));
  plain.set(content.subarray(fileHeader + os2Header), fileHeader + windowsHeader);
  const places = new DataView(plain.buffer);
  places.setUint32(fileHeader, windowsHeader, true);
  places.setUint32(10, view.getUint32(10, true) - (os2Header - windowsHeader), true);
  return plain;
}

/**
 * ImageMagick prefers a sequence (`moov`), often a small one, to the picture that a HEIC file is of (`meta`). If there are
 * both, the sequence's box gets the name of one that is passed over, and the file's brands are those of pictures.
 */
function withoutSequence(content: Uint8Array): Uint8Array {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const boxes = new Map<number, number>();
  for (let at = 0; at + 8 <= content.length;) {
    const length = view.getUint32(at);
    boxes.set(view.getUint32(at + 4), at + 4);
    if (length < 8) break;
    at += length;
  }
  const sequence = boxes.get(boxName('moov'));
  if (sequence === undefined || !boxes.has(boxName('meta'))) return content;
  const still = content.slice();
  const names = new DataView(still.buffer);
  names.setUint32(sequence, boxName('free'));
  const sequenceBrands = ['msf1', 'hevc', 'hevx', 'hevm', 'hevs'].map(boxName);
  for (let at = 8; at + 4 <= Math.min(view.getUint32(0), content.length); at += 4) {
    if (sequenceBrands.includes(names.getUint32(at))) names.setUint32(at, boxName('mif1'));
  }
  return still;
}

/** Four letters as a number. */
function boxName(letters: string): number {
  return Buffer.from(letters, 'latin1').readUInt32BE(0);
}
