import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { messageOf, UserError } from '../../protocol/errors.ts';
import { createRandom } from '../graph/random.ts';
import { augment } from './augment.ts';
import type { Augmentation } from './augment.ts';
import { decodeImage } from './decodeImage.ts';
import type { DecodeGate } from './decodeImage.ts';
import { cacheEntry, readCacheEntry, writeCacheEntry } from './diskCache.ts';
import { largeImagePixels, withLargeImageLock } from './largeImageLock.ts';
import type { LargeImageLock } from './largeImageLock.ts';
import type { ResizedImage } from './rgbImage.ts';

/** One image to be made ready for a network. */
export interface LoadRequest {
  readonly file: string;
  readonly shortSide: number;
  readonly crop: number;
  readonly augment: Augmentation;
  /** Seeds of the augmentation's random stream. */
  readonly seeds: readonly (number | string)[];
  /** The decoded image where memory holds it, its pixels shared between threads. */
  readonly held?: ResizedImage;
  /** What to do with pixels that had to be decoded. */
  readonly keep: 'memory' | 'disk' | 'nowhere';
}

export interface LoadTask {
  readonly requests: readonly LoadRequest[];
  /** Folder of the disk cache. */
  readonly folder: string;
  readonly lock: LargeImageLock;
  /** Memory for the pixels, used where it has their size; it comes back with the answer or is lost. */
  readonly room?: ArrayBuffer;
}

/** What became of one image. */
export type LoadResult =
  | {
      readonly ok: true;
      /** Decoded pixels in shared memory, where the request said to keep them there. */
      readonly image?: ResizedImage;
      /** Bytes that were written to the disk cache. */
      readonly written: number;
      /** Why the disk cache could not be written, where it could not. */
      readonly diskError?: string;
    }
  | { readonly ok: false; readonly reason: string };

/** Results in the order of the requests, and the network's inputs of those that are `ok`, one after the other. */
export interface LoadAnswer {
  readonly results: readonly LoadResult[];
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Decodes or takes from a cache, augments, and keeps what is to be kept. Bad files give a reason, never an exception. */
export async function loadImages({ requests, folder, lock, room }: LoadTask): Promise<LoadAnswer> {
  const size = requests.reduce((sum, { crop }) => sum + 3 * crop * crop, 0);
  const pixels = new Uint8Array(room?.byteLength === size ? room : new ArrayBuffer(size));
  const results: LoadResult[] = [];
  let offset = 0;
  for (const request of requests) {
    try {
      const { image, ...kept } = await findImage(request, folder, lock);
      const random = createRandom(...request.seeds);
      const end = offset + 3 * request.crop * request.crop;
      augment(image, request.augment, request.crop, random, pixels.subarray(offset, end));
      offset = end;
      results.push({ ok: true, written: 0, ...kept, ...(request.keep === 'memory' && !request.held ? { image } : {}) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      results.push({ ok: false, reason: error.message });
    }
  }
  const answer: LoadAnswer = { results, pixels: pixels.subarray(0, offset) };
  return moved(answer, pixels.buffer);
}

/** Hands a buffer over to the main thread instead of copying it. */
function moved<Answer extends object>(answer: Answer, buffer: ArrayBuffer): Answer {
  return move({ [transferableSymbol]: [buffer], [valueSymbol]: answer }) as unknown as Answer;
}

interface FoundImage {
  readonly image: ResizedImage;
  readonly written?: number;
  readonly diskError?: string;
}

async function findImage(request: LoadRequest, folder: string, lock: LargeImageLock): Promise<FoundImage> {
  const { file, shortSide, held, keep } = request;
  if (held) return { image: held };
  const entry = entryOf(folder, file, shortSide);
  const read = entry === undefined ? undefined : readCacheEntry(entry);
  const image = read ?? (await decodeImage(file, shortSide, gateOf(lock)));
  if (keep === 'memory') return { image: shared(image) };
  if (keep === 'nowhere' || read || entry === undefined) return { image };
  try {
    await writeCacheEntry(entry, image);
    return { image, written: image.data.length };
  } catch (error) {
    return { image, diskError: messageOf(error) };
  }
}

/** Undefined where the file cannot be looked at; why is what decoding it will say. */
function entryOf(folder: string, file: string, shortSide: number): string | undefined {
  try {
    return cacheEntry(folder, file, shortSide);
  } catch {
    return undefined;
  }
}

function gateOf(lock: LargeImageLock): DecodeGate {
  return (pixels, decode) => (pixels > largeImagePixels ? withLargeImageLock(lock, decode) : decode());
}

/** The image with pixels that every thread can read. */
function shared(image: ResizedImage): ResizedImage {
  if (image.data.buffer instanceof SharedArrayBuffer) return image;
  const data = new Uint8Array(new SharedArrayBuffer(image.data.length));
  data.set(image.data);
  return { ...image, data };
}

export interface InspectTask {
  readonly files: readonly string[];
  readonly decode: boolean;
  /** `end`: only the last bytes, which tell nearly all images apart at the cost of one read. */
  readonly hash: 'whole' | 'end' | 'none';
  readonly lock: LargeImageLock;
}

/** What a look at one file showed. */
export interface Inspection {
  /** Why the file does not decode, where it does not. */
  readonly reason?: string;
  /** SHA-256 of its bytes, or of the last of them, where asked for and readable. */
  readonly hash?: string;
}

/** Decodes files fully, hashes them, or both, in the order given. */
export async function inspectFiles({ files, decode, hash, lock }: InspectTask): Promise<readonly Inspection[]> {
  const inspections: Inspection[] = [];
  for (const file of files) {
    const reason = decode ? await whyUndecodable(file, lock) : undefined;
    const digest = hash === 'none' ? undefined : hash === 'end' ? hashEnd(file) : await hashFile(file);
    inspections.push({
      ...(reason === undefined ? {} : { reason }),
      ...(digest === undefined ? {} : { hash: digest }),
    });
  }
  return inspections;
}

async function whyUndecodable(file: string, lock: LargeImageLock): Promise<string | undefined> {
  try {
    // Every format's decoder reads the whole file, however small the result.
    await decodeImage(file, 32, gateOf(lock));
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

/** Sizes of files in bytes, in the order given; -1 where there is none to be had. */
export function measureFiles({ files }: { readonly files: readonly string[] }): Float64Array {
  return Float64Array.from(files, (file) => statSync(file, { throwIfNoEntry: false })?.size ?? -1);
}

const endBytes = 4096;

function hashEnd(file: string): string | undefined {
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    const buffer = Buffer.allocUnsafe(endBytes);
    const read = readSync(handle, buffer, 0, endBytes, Math.max(0, fstatSync(handle).size - endBytes));
    return createHash('sha256').update(buffer.subarray(0, read)).digest('hex');
  } catch {
    return undefined;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Larger files are read in pieces; a smaller one at once, which takes a quarter of the time. */
const maxWholeBytes = 16 * 2 ** 20;

async function hashFile(file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    if (statSync(file).size <= maxWholeBytes) return hash.update(readFileSync(file)).digest('hex');
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
