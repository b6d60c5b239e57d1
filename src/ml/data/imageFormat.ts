import { cameraRawEndings, endingOf } from '../../protocol/imageFiles.ts';
import { isTarga } from './targa.ts';

/** How a file's content is turned into pixels. */
export type ImageFormat =
  | { readonly decoder: 'libvips' | 'tiff' | 'targa' }
  | { readonly decoder: 'imageMagick'; readonly name: MagickFormat }
  /** Nothing here decodes it; the reason is a sentence that says what it is and what to do. */
  | { readonly decoder: 'none'; readonly reason: string };

/** What ImageMagick calls the formats that it is asked to read. */
export type MagickFormat = 'BMP' | 'PNM' | 'HEIC' | 'JXL' | 'QOI' | 'TIFF';

/** Bytes from the start of a file that tell what it is. */
export const formatHeadBytes = 4096;

const libvips: ImageFormat = { decoder: 'libvips' };
const tiff: ImageFormat = { decoder: 'tiff' };
const targa: ImageFormat = { decoder: 'targa' };

function byImageMagick(name: MagickFormat): ImageFormat {
  return { decoder: 'imageMagick', name };
}

function unread(what: string, remedy = 'save it as JPEG or PNG'): ImageFormat {
  return { decoder: 'none', reason: `The file is ${what}, which cannot be read; ${remedy}.` };
}

const cameraRaw = unread('a raw file of a camera', 'develop it and save it as JPEG or TIFF');
const jpeg2000 = unread('a JPEG 2000 image');
const unknown: ImageFormat = {
  decoder: 'none',
  reason: 'The file is not in a format that can be read; save it as JPEG or PNG.',
};
const video = unread('a video', 'save its frames as JPEG or PNG');

/** What files begin with, as Latin-1, and at which byte. The first that fits counts. */
const signatures: readonly (readonly [at: number, bytes: string, format: ImageFormat])[] = [
  [0, '\xff\xd8\xff', libvips],
  [0, '\x89PNG', libvips],
  [0, 'GIF8', libvips],
  [8, 'WEBP', libvips],
  [8, 'CR\x02\0', cameraRaw],
  [0, 'II\x2a\0', tiff],
  [0, 'MM\0\x2a', tiff],
  [0, 'II\x2b\0', tiff],
  [0, 'MM\0\x2b', tiff],
  [0, 'qoif', byImageMagick('QOI')],
  [0, '\xff\x0a', byImageMagick('JXL')],
  [0, '\0\0\0\x0cJXL \r\n\x87\n', byImageMagick('JXL')],
  [0, '\0\0\0\x0cjP  \r\n\x87\n', jpeg2000],
  [0, '\xff\x4f\xff\x51', jpeg2000],
  [4, 'ftypcrx ', cameraRaw],
  [0, 'FUJIFILMCCD-RAW', cameraRaw],
  [0, 'IIU\0', cameraRaw],
  [0, 'IIRO', cameraRaw],
  [0, 'IIRS', cameraRaw],
  [0, 'MMOR', cameraRaw],
  [0, 'FOVb', cameraRaw],
  [0, '\0MRM', cameraRaw],
  [6, 'HEAPCCDR', cameraRaw],
  [0, '8BPS', unread('a Photoshop document')],
  [0, '%PDF', unread('a PDF document', 'save its pages as JPEG or PNG')],
  [0, '%!', unread('a PostScript document')],
  [0, '\xc5\xd0\xd3\xc6', unread('an EPS document')],
  [0, '\0\0\x01\0', unread('an icon')],
  [0, '\0\0\x02\0\x01\0', unread('a cursor')],
  [0, 'icns', unread('an icon')],
  [0, 'v/1\x01', unread('an OpenEXR image')],
  [0, '#?RADIANCE', unread('a Radiance HDR image')],
  [0, 'II\xbc', unread('a JPEG XR image')],
  [0, 'DDS ', unread('a DirectDraw surface')],
  [0, 'gimp xcf', unread('a GIMP document')],
  [128, 'DICM', unread('a DICOM file')],
  [0, 'SIMPLE  =', unread('a FITS file')],
  [0, '\x1aE\xdf\xa3', video],
  [0, 'PK\x03\x04', unread('an archive', 'unpack it')],
];

/**
 * Which format a file has, told by its first `formatHeadBytes`; its name decides only where the content leaves a doubt: raw
 * files of cameras are TIFFs too, and a Targa file begins like many others.
 */
export function formatOf(head: Uint8Array, name: string): ImageFormat {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  const ending = endingOf(name);
  if (ending === 'tga' && isTarga(head)) return targa;
  const [, , found] = signatures.find(([at, bytes]) => text.startsWith(bytes, at)) ?? [];
  if (found === tiff && cameraRawEndings.includes(ending)) return cameraRaw;
  if (found) return found;
  if (isBmp(head)) return byImageMagick('BMP');
  if (/^P[1-6]\s/.test(text)) return byImageMagick('PNM');
  if (/^P[Ff]\s/.test(text)) return unread('a PFM image of floating-point numbers', 'rescale it to 8 bits');
  if (/^P7\s/.test(text)) return unread('a PAM image', 'save it as PPM or PNG');
  if (text.startsWith('ftyp', 4)) return isoFormat(text);
  if (/^\s*</.test(text) && /<svg/i.test(text)) return unread('an SVG drawing');
  return isTarga(head) ? targa : unknown;
}

/** Windows' and OS/2's bitmaps begin with two letters only, so the size of the header that follows has a say too. */
function isBmp(head: Uint8Array): boolean {
  if (head[0] !== 0x42 || head[1] !== 0x4d || head.length < 26) return false;
  const size = new DataView(head.buffer, head.byteOffset).getUint32(14, true);
  return size >= 12 && size <= 256;
}

/** Files in boxes, as ISO 14496-12 has them, name the brands that they keep to. */
function isoFormat(text: string): ImageFormat {
  const brands = [text.slice(8, 12), ...(text.slice(16, Math.min(boxLength(text), 256)).match(/.{4}/gs) ?? [])];
  const has = (...names: string[]) => names.some((name) => brands.includes(name));
  // libvips refuses what calls itself a sequence first.
  if (brands[0] === 'avis') return byImageMagick('HEIC');
  if (has('avif', 'avis')) return libvips;
  if (has('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1')) return byImageMagick('HEIC');
  return video;
}

function boxLength(text: string): number {
  return Buffer.from(text.slice(0, 4), 'latin1').readUInt32BE(0);
}
