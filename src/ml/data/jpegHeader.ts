const start = 0xffd8;
const startOfScan = 0xda;
/** Frames of Huffman-coded samples: baseline, extended, progressive. */
const frames: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
/** Tables, restart intervals, JFIF's own segment and comments, which change nothing of how pixels are shown. */
const harmless: ReadonlySet<number> = new Set([0xc4, 0xdb, 0xdd, 0xe0, 0xfe]);

/**
 * The size of a JPEG of three 8-bit channels whose header says nothing of how they are to be shown: no EXIF, colour
 * profile or mark of another program. `undefined` for every other file, broken ones among them, which take a longer look.
 * Markers as in ITU-T T.81, annex B.
 */
export function simpleJpegSize(content: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const has = (end: number) => end <= view.byteLength;
  if (!has(2) || view.getUint16(0) !== start) return undefined;
  let size: { width: number; height: number } | undefined;
  for (let at = 2; has(at + 4);) {
    const marker = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff) return undefined;
    if (marker === startOfScan) return size;
    const length = view.getUint16(at + 2);
    if (frames.has(marker)) {
      if (!has(at + 10) || view.getUint8(at + 4) !== 8 || view.getUint8(at + 9) !== 3) return undefined;
      size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
      if (size.width === 0 || size.height === 0) return undefined;
    } else if (!harmless.has(marker)) return undefined;
    at += 2 + length;
  }
  return undefined;
}
