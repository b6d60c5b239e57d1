import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { messageOf, UserError } from '../../protocol/errors.ts';
import { createRandom } from '../graph/random.ts';
import { augment } from './augment.ts';
import type { Augmentation, FurtherAugmentation } from './augment.ts';
import { decodeImage } from './decodeImage.ts';
import { type CroppedImage, type CropOptions, decodeCrops } from './decodeCrops.ts';
import { cacheEntry, digestOf, entryBytes, readCacheEntry, writeCacheEntry } from './diskCache.ts';
import { identityOf } from './fileIdentity.ts';
import { digestFile } from './imageDigest.ts';
import { largeImagePixels, withLargeImageLock } from './largeImageLock.ts';
import type { LargeImageLock } from './largeImageLock.ts';
import type { Loss } from './lostImage.ts';
import { withOpenImage } from './openImage.ts';
import type { ResizedImage, ResizedSize, Resizing } from './rgbImage.ts';
import { type Sketch, sketchOf, sketchSide, thumbnailOf, thumbnailSide } from './sketch.ts';
import type { DecodeGate } from './viewableImage.ts';

export { similarSketches } from './similarSketches.ts';

// Tells the pool that all modules are loaded.
parentPort?.postMessage('loaded');

/** What a run first saw of an image file. */
export interface SeenImage {
  readonly identity: string;
  /** Of the image as it was decoded. */
  readonly digest: string;
}

/** One image to be made ready for a network. */
export interface LoadRequest extends Resizing {
  readonly file: string;
  readonly crop: number;
  readonly augment: Augmentation;
  readonly further?: FurtherAugmentation | undefined;
  /** Seeds of the augmentation's random stream. */
  readonly seeds: readonly (number | string)[];
  /** What was seen of the file, where it was; another image under its name is a loss then. */
  readonly seen?: SeenImage;
  /** The decoded image where memory holds it, its pixels shared between threads. */
  readonly held?: ResizedImage;
  /** What to do with pixels that had to be decoded. */
  readonly keep: 'memory' | 'disk' | 'nowhere';
}

export interface LoadTask {
  readonly requests: readonly LoadRequest[];
  /** Folder of the disk cache; none where it may not be used. */
  readonly folder?: string;
  readonly lock: LargeImageLock;
  /** Memory for the pixels, used where it has their size; it comes back with the answer or is lost. */
  readonly room?: ArrayBuffer;
}

/** What became of one image. */
export type LoadResult =
  | {
      readonly ok: true;
      /** Size of an image that was loaded, ahead of its crop. */
      readonly resized?: ResizedSize;
      /** What is to be remembered of the file, where it was not seen before or has been touched. */
      readonly seen?: SeenImage;
      /** The image in a few bytes, where it was not seen before. */
      readonly sketch?: Sketch;
      /** Decoded pixels in shared memory, where the request said to keep them there. */
      readonly image?: ResizedImage;
      /** Bytes that were written to the disk cache. */
      readonly written: number;
      /** Why the disk cache could not be written, where it could not. */
      readonly diskError?: string;
    }
  | {
      readonly ok: false;
      readonly reason: string;
      /** Where the file was lost to the run, as opposed to one that never decoded. */
      readonly lost?: Loss['kind'];
    };

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
      augment(image, request.augment, request.crop, random, pixels.subarray(offset, end), request.further);
      offset = end;
      const { width, height, source } = image;
      results.push({
        ok: true,
        written: 0,
        resized: { width, height, source },
        ...kept,
        ...(request.keep === 'memory' && !request.held ? { image } : {}),
      });
    } catch (error) {
      results.push(failureOf(error, request));
    }
  }
  const answer: LoadAnswer = { results, pixels: pixels.subarray(0, offset) };
  return moved(answer, [pixels.buffer]);
}

/** Hands buffers over to the main thread instead of copying them. */
function moved<Answer extends object>(answer: Answer, buffers: readonly ArrayBufferLike[]): Answer {
  return move({ [transferableSymbol]: buffers, [valueSymbol]: answer }) as unknown as Answer;
}

export interface CropTask extends CropOptions {
  readonly name: string;
  /** The image file's bytes, which have their memory for themselves. */
  readonly content: Uint8Array<ArrayBuffer>;
  readonly lock: LargeImageLock;
}

/** Cuts one image into crops. */
export async function cropOne({ name, content, lock, ...options }: CropTask): Promise<CroppedImage> {
  const cropped = await decodeCrops({ name, content }, options, gateOf(lock));
  if ('error' in cropped) return cropped;
  return moved(
    cropped,
    cropped.crops.map(({ pixels }) => pixels.buffer),
  );
}

/** An image that a run has seen, to be looked at again. */
export type CheckRequest = Pick<LoadRequest, 'file' | 'side' | 'fit' | 'interpolation'> & { readonly seen: SeenImage };

export interface CheckTask {
  readonly requests: readonly CheckRequest[];
  readonly lock: LargeImageLock;
}

/** Says of each image whether it is the one that was seen; only a file that has been touched is decoded for that. */
export async function checkImages({ requests, lock }: CheckTask): Promise<readonly LoadResult[]> {
  const results: LoadResult[] = [];
  for (const request of requests) {
    try {
      const isSame = identityOf(request.file) === request.seen.identity;
      const { seen } = isSame ? request : await findImage({ ...request, keep: 'nowhere' }, undefined, lock);
      results.push({ ok: true, written: 0, ...(seen ? { seen } : {}) });
    } catch (error) {
      results.push(failureOf(error, request));
    }
  }
  return results;
}

interface FoundImage {
  readonly image: ResizedImage;
  readonly seen?: SeenImage;
  readonly sketch?: Sketch;
  readonly written?: number;
  readonly diskError?: string;
}

/** Thrown where a file holds another image than the run saw in it. */
class ChangedError extends Error {}

async function findImage(
  { file, side, fit, interpolation, seen, held, keep }: Omit<LoadRequest, 'crop' | 'augment' | 'further' | 'seeds'>,
  folder: string | undefined,
  lock: LargeImageLock,
): Promise<FoundImage> {
  const identity = identityOf(file);
  const isSame = seen?.identity === identity;
  if (held && isSame) return { image: held };
  const entry = folder === undefined ? undefined : cacheEntry(folder, file, identity, { side, fit, interpolation });
  const read = entry && readCacheEntry(entry);
  const room = keep === 'memory' ? keptRoom : undefined;
  const image = read?.image ?? (await decodeImage(file, side, { fit, interpolation, room, gate: gateOf(lock) }));
  if (isSame && (read || keep !== 'disk')) return { image: keep === 'memory' ? shared(image) : image };
  const digest = read?.digest ?? digestOf(image);
  const now: SeenImage = { identity, digest: digest.toString('base64', 0, seenBytes) };
  // A file that was only touched, or re-encoded with the same pixels, is the same image.
  if (seen && seen.digest !== now.digest) throw new ChangedError();
  const sketch = seen ? {} : { sketch: sketchOf(image) };
  const found = { image: keep === 'memory' ? shared(image) : image, seen: now, ...sketch };
  // A file that was written to in the meantime may have given pixels of before or after.
  if (keep !== 'disk' || read || entry === undefined || identityOf(file) !== identity) return found;
  try {
    await writeCacheEntry(entry, image, digest);
    return { ...found, written: entryBytes(image) };
  } catch (error) {
    return { ...found, diskError: messageOf(error) };
  }
}

/** Bytes of a digest that are remembered of each image. */
const seenBytes = 16;

/** What the system says of a file that is there and is of no use; all else that it says is of a disk or folder that went. */
const unusable: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'EINVAL']);

/** Sorts a failure into lost files and files that never decoded. What is neither is thrown on. */
function failureOf(error: unknown, { file, seen }: Pick<LoadRequest, 'file' | 'seen'>): LoadResult {
  if (error instanceof ChangedError) return { ok: false, reason: '', lost: 'changed' };
  const code = systemCode(error) ?? systemCodeOf(file);
  if (code !== undefined && (seen || !unusable.has(code))) return { ok: false, reason: code, lost: 'gone' };
  if (!(error instanceof UserError) && code === undefined) throw error;
  const reason =
    error instanceof UserError ? error.message : `The file cannot be accessed (${code ?? ''}); change its permissions.`;
  return { ok: false, reason, ...(seen ? { lost: 'changed' } : {}) };
}

/** The code of the system's error, be it the cause of another, such as `ENOENT`. */
function systemCode(error: unknown): string | undefined {
  const cause = error instanceof UserError ? error.cause : error;
  const isSystem = cause instanceof Error && 'code' in cause && 'syscall' in cause;
  return isSystem && typeof cause.code === 'string' ? cause.code : undefined;
}

/** Why a file cannot be looked at just now: libvips tells of it in words of its own. */
function systemCodeOf(file: string): string | undefined {
  try {
    identityOf(file);
    return undefined;
  } catch (error) {
    return systemCode(error);
  }
}

function gateOf(lock: LargeImageLock): DecodeGate {
  return (pixels, decode) => (pixels > largeImagePixels ? withLargeImageLock(lock, decode) : decode());
}

/** The image with pixels that every thread can read. */
function shared(image: ResizedImage): ResizedImage {
  if (image.data.buffer instanceof SharedArrayBuffer) return image;
  const data = keptRoom(image.data.length);
  data.set(image.data);
  return { ...image, data };
}

/** Small images that are kept lie in pieces of so many bytes: asked for one by one, their memory takes a third longer to come. */
const pieceOfKeptBytes = 4 * 2 ** 20;

let piece = new SharedArrayBuffer(0);
let taken = 0;

/** Memory for an image that is kept; in a piece it goes when all of that does. */
function keptRoom(bytes: number): Uint8Array<SharedArrayBuffer> {
  // Of larger images much of a piece would be left over, which the memory for kept images does not count.
  if (bytes > pieceOfKeptBytes / 8) return new Uint8Array(new SharedArrayBuffer(bytes));
  if (taken + bytes > piece.byteLength) {
    piece = new SharedArrayBuffer(pieceOfKeptBytes);
    taken = 0;
  }
  const room = new Uint8Array(piece, taken, bytes);
  // V8 copies into shared memory by words where both sides begin at one, and by bytes elsewhere.
  taken = Math.ceil((taken + bytes) / 8) * 8;
  return room;
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
  /** The image in a few bytes, where it was decoded. */
  readonly sketch?: Sketch;
  /** SHA-256 of its bytes, or of the last of them, where asked for and readable. */
  readonly hash?: string;
}

/** Decodes files fully, hashes them, or both, in the order given. */
export async function inspectFiles({ files, decode, hash, lock }: InspectTask): Promise<readonly Inspection[]> {
  const inspections: Inspection[] = [];
  for (const file of files) {
    const digest = hash === 'none' ? undefined : hash === 'end' ? hashEnd(file) : hashFile(file);
    inspections.push({
      ...(decode ? await sketchOrReason(file, lock) : {}),
      ...(digest === undefined ? {} : { hash: digest }),
    });
  }
  return inspections;
}

async function sketchOrReason(file: string, lock: LargeImageLock): Promise<Pick<Inspection, 'reason' | 'sketch'>> {
  // Every format's decoder reads the whole file, however small the result.
  const decoded = await decodeOrReason(file, 2 * sketchSide, lock);
  return typeof decoded === 'string' ? { reason: decoded } : { sketch: sketchOf(decoded) };
}

export interface ThumbnailTask {
  readonly files: readonly string[];
  readonly lock: LargeImageLock;
}

/** Thumbnails of images in the order given; none where one does not decode. */
export async function makeThumbnails({ files, lock }: ThumbnailTask): Promise<readonly (Uint8Array | undefined)[]> {
  const thumbnails: (Uint8Array | undefined)[] = [];
  for (const file of files) {
    const decoded = await decodeOrReason(file, 2 * thumbnailSide, lock);
    thumbnails.push(typeof decoded === 'string' ? undefined : thumbnailOf(decoded));
  }
  return thumbnails;
}

/** The image, or the sentence that says why there is none. */
async function decodeOrReason(file: string, side: number, lock: LargeImageLock): Promise<ResizedImage | string> {
  try {
    return await decodeImage(file, side, { gate: gateOf(lock) });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

/** Digests of files, in the order given; NaN for one that cannot be read. */
export function digestFiles({ files }: { readonly files: readonly string[] }): Float64Array {
  return Float64Array.from(files, (file) => digestFile(file) ?? NaN);
}

/** Sizes of files in bytes, in the order given; -1 if there is none to be had, as of a device. */
export function measureFiles({ files }: { readonly files: readonly string[] }): Float64Array {
  return Float64Array.from(files, (file) => {
    const status = statSync(file, { throwIfNoEntry: false });
    return status?.isFile() ? status.size : -1;
  });
}

const endBytes = 4096;

function hashEnd(file: string): string | undefined {
  return hashOf(file, (bytes) => Math.max(0, bytes - endBytes));
}

function hashFile(file: string): string | undefined {
  return hashOf(file, () => 0);
}

/** Most that is read at once. */
const pieceBytes = 16 * 2 ** 20;

/** Of a file's bytes from a place on; undefined if it cannot be read. */
function hashOf(file: string, start: (bytes: number) => number): string | undefined {
  const hash = createHash('sha256');
  try {
    return withOpenImage(file, ({ bytes, read }) => {
      for (let at = start(bytes); at < bytes; at += pieceBytes) hash.update(read(at, pieceBytes));
      return hash.digest('hex');
    });
  } catch {
    return undefined;
  }
}
