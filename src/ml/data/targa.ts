import type { RgbImage } from './rgbImage.ts';

/** What the header of a Targa file says, as Truevision's specification 2.0 lays it out. */
interface TargaHeader {
  readonly width: number;
  readonly height: number;
  readonly kind: 'palette' | 'colour' | 'grey';
  readonly packed: boolean;
  /** Bits of a pixel, alpha included. */
  readonly depth: number;
  readonly palette: { readonly first: number; readonly count: number; readonly depth: number };
  readonly fromRight: boolean;
  readonly fromTop: boolean;
  /** Where the palette begins. */
  readonly end: number;
}

const headerBytes = 18;
const kinds = { 1: 'palette', 2: 'colour', 3: 'grey' } as const;
const depths: Readonly<Record<TargaHeader['kind'], readonly number[]>> = {
  palette: [8, 16],
  colour: [15, 16, 24, 32],
  grey: [8, 16],
};

/** Whether a file may be a Targa image: its header says nothing that none says. */
export function isTarga(head: Uint8Array): boolean {
  return readHeader(head) !== undefined;
}

/** Size of a Targa image. Throws where it is none. */
export function targaSize(content: Uint8Array): { width: number; height: number } {
  const { width, height } = readHeader(content) ?? damaged();
  return { width, height };
}

function readHeader(head: Uint8Array): TargaHeader | undefined {
  if (head.length < headerBytes) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const [paletted, type, depth, descriptor] = [1, 2, 16, 17].map((at) => view.getUint8(at)) as [number, number, number, number]; // prettier-ignore
  const kind = (kinds as Readonly<Record<number, TargaHeader['kind']>>)[type & 7];
  if (paletted > 1 || (type & ~8) !== (type & 7) || !kind || !depths[kind].includes(depth)) return undefined;
  // The two highest bits interleave rows, which no program writes.
  if (descriptor & 0xc0) return undefined;
  const palette = { first: view.getUint16(3, true), count: view.getUint16(5, true), depth: view.getUint8(7) };
  if (paletted === 1 ? ![15, 16, 24, 32].includes(palette.depth) : kind === 'palette') return undefined;
  const [width, height] = [view.getUint16(12, true), view.getUint16(14, true)];
  if (width === 0 || height === 0) return undefined;
  return {
    width,
    height,
    kind,
    packed: (type & 8) !== 0,
    depth,
    palette: paletted === 1 ? palette : { first: 0, count: 0, depth: 8 },
    fromRight: (descriptor & 0x10) !== 0,
    fromTop: (descriptor & 0x20) !== 0,
    end: headerBytes + view.getUint8(0),
  };
}

/** Decodes a Targa image of any depth, packed or not, alpha dropped. Throws where the file is cut short or damaged. */
export function decodeTarga(content: Uint8Array): RgbImage {
  const header = readHeader(content) ?? damaged();
  const { width, height, kind, depth, palette } = header;
  const pixelBytes = (depth + 7) >> 3;
  const paletteBytes = palette.count * ((palette.depth + 7) >> 3);
  const colours = content.subarray(header.end, header.end + paletteBytes);
  if (colours.length < paletteBytes) damaged();
  const stored = content.subarray(header.end + paletteBytes);
  const pixels = header.packed ? unpack(stored, pixelBytes, width * height) : stored;
  if (pixels.length < width * height * pixelBytes) damaged();

  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = header.fromTop ? y : height - 1 - y;
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * pixelBytes;
      const to = (row * width + (header.fromRight ? width - 1 - x : x)) * 3;
      if (kind === 'grey') data.fill(pixels[at] ?? 0, to, to + 3);
      else if (kind === 'colour') putColour(data, to, pixels, at, depth);
      else {
        const index = (pixels[at] ?? 0) + (pixelBytes === 2 ? (pixels[at + 1] ?? 0) * 256 : 0) - palette.first;
        if (index < 0 || index >= palette.count) damaged();
        putColour(data, to, colours, index * ((palette.depth + 7) >> 3), palette.depth);
      }
    }
  }
  return { width, height, data };
}

/** Blue, green, red of 8 bits each, or of 5 bits in two bytes. */
function putColour(data: Uint8Array, to: number, from: Uint8Array, at: number, depth: number): void {
  const [low = 0, middle = 0, high = 0] = [from[at], from[at + 1], from[at + 2]];
  const word = low | (middle << 8);
  const five = (value: number) => Math.trunc(((value & 31) * 255) / 31);
  data[to] = depth > 16 ? high : five(word >> 10);
  data[to + 1] = depth > 16 ? middle : five(word >> 5);
  data[to + 2] = depth > 16 ? low : five(word);
}

/** Undoes run lengths: a count above 127 repeats the pixel that follows, others copy as many. */
function unpack(stored: Uint8Array, pixelBytes: number, count: number): Uint8Array {
  const pixels = new Uint8Array(count * pixelBytes);
  let from = 0;
  let to = 0;
  while (to < pixels.length) {
    const packet = stored[from++] ?? damaged();
    const bytes = ((packet & 127) + 1) * pixelBytes;
    const taken = packet > 127 ? pixelBytes : bytes;
    if (from + taken > stored.length) damaged();
    // A run may reach beyond the last pixel; what is beyond is nobody's.
    const end = Math.min(to + bytes, pixels.length);
    for (let at = to; at < end; at++) pixels[at] = stored[from + ((at - to) % taken)] ?? 0;
    from += taken;
    to = end;
  }
  return pixels;
}

function damaged(): never {
  throw new Error('Targa: premature end or damaged');
}
