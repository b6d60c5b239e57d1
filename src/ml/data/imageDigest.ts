import { createHash } from 'node:crypto';
import { digestBytes } from '../../protocol/runSplit.ts';
import { withOpenImage } from './openImage.ts';

/** Smaller files are read whole; of others the beginning, the middle and the end tell them apart. */
const wholeBytes = 16 * 1024;
const pieceBytes = 4 * 1024;

/**
 * 48 bits by which the content of an image file is known again, as a whole number: of its size and its bytes, of a larger
 * file's three pieces. Undefined where the file cannot be read.
 */
export function digestFile(file: string): number | undefined {
  try {
    return withOpenImage(file, ({ bytes, read }) => {
      const hash = createHash('sha256').update(`${bytes}\n`);
      for (const [from, length] of piecesOf(bytes)) hash.update(read(from, length));
      return numberOf(hash.digest());
    });
  } catch {
    return undefined;
  }
}

function piecesOf(size: number): readonly (readonly [from: number, length: number])[] {
  if (size <= wholeBytes) return [[0, size]];
  return [0, Math.floor((size - pieceBytes) / 2), size - pieceBytes].map((from) => [from, pieceBytes] as const);
}

/** 48 bits by which an image at a path is known again. */
export function digestAt(path: string, digest: number | undefined): number {
  return numberOf(
    createHash('sha256')
      .update(`${digest ?? 'unreadable'}\n${path}`)
      .digest(),
  );
}

function numberOf(bytes: Buffer): number {
  return bytes.readUIntBE(0, digestBytes);
}

/** Digests one after the other, in base64. */
export function packDigests(digests: readonly number[]): string {
  const bytes = Buffer.alloc(digests.length * digestBytes);
  digests.forEach((digest, at) => bytes.writeUIntBE(digest, at * digestBytes, digestBytes));
  return bytes.toString('base64');
}

/** The digests that `packDigests` packed. */
export function unpackDigests(packed: string): number[] {
  const bytes = Buffer.from(packed, 'base64');
  return Array.from({ length: Math.floor(bytes.length / digestBytes) }, (_, at) =>
    bytes.readUIntBE(at * digestBytes, digestBytes),
  );
}
