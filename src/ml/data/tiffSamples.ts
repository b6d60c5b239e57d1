import sharp from 'sharp';
import type { SharpOptions } from 'sharp';
import { userError } from '../../protocol/errors.ts';
import { decodeSeconds } from './imageLimits.ts';
import type { TiffHeader } from './tiffHeader.ts';

/**
 * How a TIFF's samples become 8-bit colours: libvips knows them; ImageMagick does; they are numbers whose range has to be
 * looked at; or nobody here can say, for a reason.
 */
export type TiffReading = 'libvips' | 'imageMagick' | 'numbers' | { readonly reason: string };

const photometry = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3, mask: 4, cmyk: 5, ycbcr: 6 };
const otherColours: ReadonlyMap<number, string> = new Map([
  [8, 'Lab colors'],
  [9, 'Lab colors'],
  [10, 'Lab colors'],
  [32844, 'the luminances of a high dynamic range'],
  [32845, 'the luminances of a high dynamic range'],
]);
/** Photometric interpretations of the sensors of cameras. */
const sensors: ReadonlySet<number> = new Set([32803, 34892]);
const compressions = { oldJpeg: 6, jpeg: 7 };

function holds(what: string, remedy = 'save it as 8-bit RGB'): { reason: string } {
  return { reason: `The file is a TIFF of ${what}, which cannot be read; ${remedy}.` };
}

/** Whether the colours are a luminance and two differences, which libtiff converts. */
export function isYcbcr({ photometric }: TiffHeader): boolean {
  return photometric === photometry.ycbcr;
}

/** Says how a TIFF is to be read. */
export function tiffReading(header: TiffHeader): TiffReading {
  const { photometric, bits, type, compression, separate, tiled, samples, isRaw } = header;
  if (isRaw || (photometric !== undefined && sensors.has(photometric))) {
    return {
      reason: 'The file is a raw file of a camera, which cannot be read; develop it and save it as JPEG or TIFF.',
    };
  }
  if (photometric === undefined) {
    return { reason: 'The header of the TIFF does not say what its samples mean; save it again with another program.' };
  }
  const colours = otherColours.get(photometric);
  if (colours !== undefined) return holds(colours);
  if (type === 'complex') return holds('complex numbers');
  if (type === 'mixed' || bits === 0) return holds('samples of different types');
  if (type !== 'unsigned' || bits > 16) return numbersReading(header);
  const planesInTiles = tiled && separate && samples > 1;
  if (isYcbcr(header) && compression !== compressions.jpeg && compression !== compressions.oldJpeg) {
    return bits === 8 && !separate ? 'imageMagick' : holds(`${bits}-bit YCbCr colors${separate ? ' in planes' : ''}`);
  }
  const isWhole = bits === 8 || bits === 16 || (bits <= 4 && bits !== 3 && samples === 1);
  return planesInTiles || compression === compressions.oldJpeg || !isWhole ? 'imageMagick' : 'libvips';
}

function numbersReading({ photometric, bits, type, separate, tiled, samples }: TiffHeader): TiffReading {
  const numbers = `${bits}-bit ${type === 'float' ? 'floating-point' : type} numbers`;
  const isRead = bits === 32 || (bits <= 16 && type === 'signed');
  if (!isRead || (tiled && separate && samples > 1)) return holds(numbers);
  if (photometric === photometry.blackIsZero || photometric === photometry.rgb) return 'numbers';
  return holds(photometric === photometry.whiteIsZero ? `${numbers} that grow from white to black` : numbers);
}

/** An image of 8-bit samples. */
export interface RawImage {
  readonly data: Buffer;
  readonly raw: { readonly width: number; readonly height: number; readonly channels: 1 | 3 };
}

/** Most numbers of one image, which take four bytes each. */
const maxNumbers = 50_000_000;

/**
 * Makes 8-bit samples of numbers, which have no range of their own: from 0 to 1 they are scaled by 255, from 0 to 255 they
 * stay as they are. Throws a user error for all others, since how a viewer is to show them nobody knows.
 */
export async function numbersAsBytes(
  input: Buffer | string,
  options: SharpOptions,
  header: TiffHeader,
): Promise<RawImage> {
  const { width, height, samples, type } = header;
  if (width * height * samples > maxNumbers) {
    throw userError(`The TIFF has more than ${maxNumbers / 1e6} million numbers; save it as 8-bit RGB.`);
  }
  const { values, info } = await readNumbers(input, options, header);
  const channels = header.photometric === photometry.rgb ? 3 : 1;
  const data = Buffer.alloc(info.width * info.height * channels);
  const [low, high] = rangeOf(values, info.channels, channels);
  if (low < 0 || high > 255) {
    throw userError(`Its values run from ${shown(low)} to ${shown(high)}; rescale them to 8 bits.`);
  }
  const scale = type === 'float' && high <= 1 ? 255 : 1;
  for (let at = 0; at < data.length; at++) {
    const from = Math.floor(at / channels) * info.channels + (at % channels);
    data[at] = Math.round((values[from] ?? 0) * scale);
  }
  return { data, raw: { width: info.width, height: info.height, channels } };
}

/** The numbers as they are, sample by sample, alpha included. */
async function readNumbers(
  input: Buffer | string,
  options: SharpOptions,
  { bits }: TiffHeader,
): Promise<{ values: Float32Array; info: { width: number; height: number; channels: number } }> {
  const { space } = await sharp(input, options).metadata();
  // libvips holds 16-bit numbers to be unsigned: lifted above 0 none of the signed ones is lost.
  const lift = bits === 16 ? 2 ** 15 : 0;
  const image = sharp(input, options).autoOrient();
  const { data, info } = await (lift > 0 ? image.linear(1, lift) : image)
    .toColourspace(space)
    .timeout({ seconds: decodeSeconds })
    .raw({ depth: 'float' })
    .toBuffer({ resolveWithObject: true });
  const values = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
  return { values: lift > 0 ? values.map((value) => value - lift) : values, info };
}

/** Least and greatest of the colours' numbers. Throws if one of them is none. */
function rangeOf(values: Float32Array, step: number, colours: number): [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at++) {
    if (at % step >= colours) continue;
    const value = values[at] ?? 0;
    if (!Number.isFinite(value))
      throw userError('Some of its values are infinite or not numbers; fill them in and rescale it to 8 bits.');
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

function shown(value: number): string {
  return String(Number(value.toPrecision(6)));
}
