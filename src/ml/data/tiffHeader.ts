/** Bytes of a file from a place on; fewer at its end. */
export type ReadBytes = (at: number, length: number) => Uint8Array;

/** What the header of a TIFF's first picture says of its samples. Numbers as in TIFF 6.0. */
export interface TiffHeader {
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  /** Bits of a sample; 0 if samples differ. */
  readonly bits: number;
  /** What a sample is; `mixed` if samples differ. */
  readonly type: 'unsigned' | 'signed' | 'float' | 'complex' | 'mixed';
  readonly photometric: number | undefined;
  readonly compression: number;
  /** Whether each sample has a plane of its own. */
  readonly separate: boolean;
  readonly tiled: boolean;
  /** Bytes that a file has at least that holds all tiles. */
  readonly tilesEnd: number;
  /** Whether it is a digital negative. */
  readonly isRaw: boolean;
}

/** Sizes of the types of values: BYTE, ASCII, SHORT, LONG, RATIONAL and so on to BigTIFF's IFD8. */
const typeBytes: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
const maxEntries = 4096;
/** Values of a tag that are looked at: of a sample each. */
const maxValues = 16;
const [tileOffsets, tileByteCounts] = [324, 325];
/** Tiles of an image whose place is looked at. */
const maxTiles = 2 ** 20;
const sampleTypes = ['unsigned', 'unsigned', 'signed', 'float', 'unsigned', 'complex', 'complex'] as const;

/** Reads the header of a TIFF's first picture; undefined if it is damaged, about which a decoder says more. */
export function readTiffHeader(read: ReadBytes): TiffHeader | undefined {
  const tags = readTags(read);
  if (!tags) return undefined;
  const value = (tag: number, missing = 0) => tags.get(tag)?.[0] ?? missing;
  const samples = value(277, 1);
  const same = (tag: number, missing: number) => {
    const [first = missing, ...others] = tags.get(tag)?.slice(0, samples) ?? [];
    return others.every((other) => other === first) ? first : undefined;
  };
  const type = same(339, 1);
  return {
    width: value(256),
    height: value(257),
    samples,
    bits: same(258, 1) ?? 0,
    type: type === undefined ? 'mixed' : (sampleTypes[type] ?? 'mixed'),
    photometric: tags.get(262)?.[0],
    compression: value(259, 1),
    separate: value(284, 1) === 2,
    tiled: tags.has(322) || tags.has(tileOffsets),
    tilesEnd: endOf(tags.get(tileOffsets) ?? [], tags.get(tileByteCounts) ?? []),
    isRaw: tags.has(50706),
  };
}

/** The first directory's tags with their first values, those of whole numbers. */
function readTags(read: ReadBytes): Map<number, number[]> | undefined {
  const head = viewOf(read(0, 16));
  if (head.byteLength < 16) return undefined;
  const little = head.getUint16(0) === 0x4949;
  const big = head.getUint16(2, little) === 43;
  const offset = big ? Number(head.getBigUint64(8, little)) : head.getUint32(4, little);
  const countBytes = big ? 8 : 2;
  const entryBytes = big ? 20 : 12;
  const counted = viewOf(read(offset, countBytes));
  if (counted.byteLength < countBytes) return undefined;
  const count = big ? Number(counted.getBigUint64(0, little)) : counted.getUint16(0, little);
  if (count > maxEntries) return undefined;
  const entries = viewOf(read(offset + countBytes, count * entryBytes));
  const tags = new Map<number, number[]>();
  for (let at = 0; at + entryBytes <= entries.byteLength; at += entryBytes) {
    const size = typeBytes[entries.getUint16(at + 2, little)] ?? 0;
    const values = big ? Number(entries.getBigUint64(at + 4, little)) : entries.getUint32(at + 4, little);
    const tag = entries.getUint16(at, little);
    const most = tag === tileOffsets || tag === tileByteCounts ? maxTiles : maxValues;
    const taken = Math.min(values, most) * size;
    const inside = values * size <= (big ? 8 : 4);
    const [from, end] = big ? [at + 12, at + 20] : [at + 8, at + 12];
    const place = big ? Number(entries.getBigUint64(from, little)) : entries.getUint32(from, little);
    const bytes = inside
      ? new DataView(entries.buffer, entries.byteOffset + from, end - from)
      : viewOf(read(place, taken));
    if (!tags.has(tag)) tags.set(tag, wholeNumbers(bytes, size, Math.min(values, most), little));
  }
  return tags;
}

function endOf(offsets: readonly number[], counts: readonly number[]): number {
  return offsets.reduce((end, offset, index) => Math.max(end, offset + (counts[index] ?? 0)), 0);
}

function wholeNumbers(bytes: DataView, size: number, count: number, little: boolean): number[] {
  const numbers: number[] = [];
  for (let at = 0; numbers.length < count && at + size <= bytes.byteLength && size > 0; at += size) {
    if (size === 1) numbers.push(bytes.getUint8(at));
    else if (size === 2) numbers.push(bytes.getUint16(at, little));
    else if (size === 4) numbers.push(bytes.getUint32(at, little));
    else numbers.push(Number(bytes.getBigUint64(at, little)));
  }
  return numbers;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
