import { createHash } from 'node:crypto';
import { closeSync, constants, existsSync, fstatSync, futimesSync, openSync, readFileSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import packageJson from '../../../package.json' with { type: 'json' };
import { cacheFolder } from '../cache/cacheFolder.ts';
import { isOwn, privateFileMode } from '../cache/privateFolder.ts';
import { bytesAt, kernels, placesFrom } from './pixelKernels.ts';
import type { ResizedImage, Resizing } from './rgbImage.ts';

/** Most that the cache folder holds, of all runs together; the entries that were not used for longest go first. */
export const maxDiskCacheBytes = 16 * 2 ** 30;
/** Share of the file system that stays free. */
const freeShare = 0.1;
/** A temporary file as old as this belongs to a process that is gone: an entry is written in a moment. */
const abandonedMilliseconds = 3_600_000;

/**
 * An entry begins with its mark, its own key, the digest of what follows, and four little-endian 32-bit numbers: width,
 * height, source width, source height. Then come the pixels.
 */
const mark = Buffer.from('fivecrop pixels4');
const hashBytes = 32;
const sizesAt = mark.length + 2 * hashBytes;
const headerBytes = sizesAt + 16;

/** An entry's place, and the key that it must carry. */
export interface CacheEntry {
  readonly path: string;
  readonly key: Buffer;
}

/** Where decoded images lie that do not fit into memory, unless a run names another folder. */
export function defaultCacheFolder(): string {
  return join(cacheFolder(), 'images');
}

/** The entry of what an image's pixels depend on, so that a file that changes gets another, and so does another decoder. */
export function cacheEntry(
  folder: string,
  file: string,
  identity: string,
  { side, fit = 'crop', interpolation = 'bilinear' }: Resizing,
): CacheEntry {
  const decoder = [packageJson.version, sharp.versions.vips];
  const key = createHash('sha256')
    .update([file, identity, side, fit, interpolation, ...decoder].join('\0'))
    .digest();
  const name = key.toString('hex');
  return { path: join(folder, name.slice(0, 2), `${name.slice(2)}.rgb`), key };
}

/** Bytes that the kernel makes of pixels, and takes at a time. */
const mixedBytes = 64;

/**
 * A digest of an image's sizes and pixels, which tells images apart that differ in a bit, but not those that somebody made to
 * have the same one: SHA-256 of all pixels took a tenth of the time of an image's first epoch.
 */
export function digestOf(image: ResizedImage): Buffer {
  const { data } = image;
  const [source, target] = placesFrom(data, data.length + mixedBytes, mixedBytes) as [number, number];
  bytesAt(source + data.length, mixedBytes).fill(0);
  kernels.digest(source, data.length, target);
  return createHash('sha256').update(sizesOf(image)).update(bytesAt(target, mixedBytes)).digest();
}

function sizesOf({ width, height, source }: ResizedImage): Buffer {
  const sizes = Buffer.alloc(headerBytes - sizesAt);
  [width, height, source.width, source.height].forEach((value, index) => sizes.writeUInt32LE(value, index * 4));
  return sizes;
}

/** An image as it was kept, and its digest. */
interface KeptImage {
  readonly image: ResizedImage;
  readonly digest: Buffer;
}

/** Reads an entry; `undefined` where it is missing, not whole, not as it was written, or not this user's. */
export function readCacheEntry({ path, key }: CacheEntry): KeptImage | undefined {
  const bytes = bytesOf(path);
  if (!bytes || bytes.length < headerBytes || !bytes.subarray(0, mark.length).equals(mark)) return undefined;
  if (!bytes.subarray(mark.length, mark.length + hashBytes).equals(key)) return undefined;
  const at = (index: number) => bytes.readUInt32LE(sizesAt + index * 4);
  const [width, height, source] = [at(0), at(1), { width: at(2), height: at(3) }];
  const image = { width, height, source, data: bytes.subarray(headerBytes) };
  if (image.data.length !== width * height * 3) return undefined;
  const digest = digestOf(image);
  return digest.equals(bytes.subarray(mark.length + hashBytes, sizesAt)) ? { image, digest } : undefined;
}

/** Neither a link nor a pipe is followed; neither exists as a flag on Windows. */
const plainFileOnly =
  ((constants.O_NOFOLLOW as number | undefined) ?? 0) | ((constants.O_NONBLOCK as number | undefined) ?? 0);

/** Read in this thread, which is a worker's: most often there is no entry, and asking another thread takes longer. */
function bytesOf(path: string): Buffer | undefined {
  // An error that is thrown takes longer than reading an image file.
  if (!existsSync(path)) return undefined;
  let handle: number | undefined;
  try {
    handle = openSync(path, constants.O_RDONLY | plainFileOnly);
    const info = fstatSync(handle);
    if (!info.isFile() || !isOwn(info)) return undefined;
    const bytes = readFileSync(handle);
    markUsed(handle);
    return bytes;
  } catch {
    return undefined;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** What was used of late is removed last. */
function markUsed(handle: number): void {
  const now = new Date();
  try {
    futimesSync(handle, now, now);
  } catch {
    // A disk that can only be read keeps no times, and loses no entries either.
  }
}

/** Writes an entry under a temporary name and renames it, so that another process never reads half of it. */
export async function writeCacheEntry({ path, key }: CacheEntry, image: ResizedImage, digest: Buffer): Promise<void> {
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const handle = await open(temporary, 'wx', privateFileMode);
    try {
      await handle.writev([mark, key, digest, sizesOf(image), image.data]);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Bytes that an image takes as an entry. */
export function entryBytes({ data }: ResizedImage): number {
  return headerBytes + data.length;
}

/** Bytes that may still be written: the cache's bound, or what the file system has beyond its free share. */
export async function diskBudget(folder: string, held: number, limit = maxDiskCacheBytes): Promise<number> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return Math.max(0, Math.min(limit - held, (bavail - blocks * freeShare) * bsize));
}

/**
 * Removes entries, those first that were not used for longest, until at most `limit` bytes remain, and returns how many
 * do. What was used after `usedSince`, in milliseconds, stays, and so do files that are no entries; what a dead process
 * left half written goes.
 */
export async function pruneDiskCache(folder: string, limit: number, usedSince = Infinity): Promise<number> {
  const entries: { path: string; size: number; time: number }[] = [];
  for (const shard of await readdir(folder).catch(() => [])) {
    if (!/^[0-9a-f]{2}$/.test(shard)) continue;
    for (const name of await readdir(join(folder, shard)).catch(() => [])) {
      if (!/^[0-9a-f]{62}\.rgb/.test(name)) continue;
      const path = join(folder, shard, name);
      const info = await stat(path).catch(() => undefined);
      if (!info) continue;
      const isAbandoned = !name.endsWith('.rgb') && info.mtimeMs < Date.now() - abandonedMilliseconds;
      if (isAbandoned) await rm(path, { force: true });
      else entries.push({ path, size: info.size, time: info.mtimeMs });
    }
  }
  let held = entries.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size, time } of entries.sort((a, b) => a.time - b.time)) {
    if (held <= limit || time >= usedSince) break;
    await rm(path, { force: true });
    held -= size;
  }
  return held;
}
