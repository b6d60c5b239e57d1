import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ResizedImage } from './rgbImage.ts';

/** Most that the cache folder holds when a run begins; older entries are removed. */
export const maxDiskCacheBytes = 16 * 2 ** 30;
/** Share of the file system that stays free. */
const freeShare = 0.1;

/** Width, height, source width, source height, as little-endian 32-bit numbers, before the pixels. */
const headerBytes = 16;

/** Where decoded images lie that do not fit into memory, unless a run names another folder. */
export function defaultCacheFolder(): string {
  return join(tmpdir(), 'fivecrop-images');
}

/**
 * The path of a file's cache entry: its name is a hash of what the pixels depend on, so a file that changes gets another.
 * Throws where the file cannot be read.
 */
export function cacheEntry(folder: string, file: string, shortSide: number): string {
  const { mtimeMs, size } = statSync(file);
  const key = createHash('sha256').update([file, mtimeMs, size, shortSide, 2].join('\0')).digest('hex');
  return join(folder, key.slice(0, 2), `${key.slice(2, 40)}.rgb`);
}

/** Reads an entry; `undefined` where it is missing or not whole. */
export function readCacheEntry(path: string): ResizedImage | undefined {
  const bytes = bytesOf(path);
  if (!bytes || bytes.length < headerBytes) return undefined;
  const at = (index: number) => bytes.readUInt32LE(index * 4);
  const [width, height, source] = [at(0), at(1), { width: at(2), height: at(3) }];
  const data = bytes.subarray(headerBytes);
  return data.length === width * height * 3 ? { width, height, source, data } : undefined;
}

/** Read in this thread, which is a worker's: most often there is no entry, and asking another thread takes longer. */
function bytesOf(path: string): Buffer | undefined {
  try {
    return existsSync(path) ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes an entry under a temporary name and renames it, so that another process never reads half of it. */
export async function writeCacheEntry(path: string, image: ResizedImage): Promise<void> {
  const header = Buffer.alloc(headerBytes);
  [image.width, image.height, image.source.width, image.source.height].forEach((value, index) =>
    header.writeUInt32LE(value, index * 4),
  );
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(temporary, [header, image.data]);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Bytes that may still be written: the cache's bound, or what the file system has beyond its free share. */
export async function diskBudget(folder: string, held: number, limit = maxDiskCacheBytes): Promise<number> {
  await mkdir(folder, { recursive: true });
  const { bavail, blocks, bsize } = await statfs(folder);
  return Math.max(0, Math.min(limit - held, (bavail - blocks * freeShare) * bsize));
}

/**
 * Removes the oldest entries until at most `limit` bytes remain, and returns how many do. Other files are left alone:
 * an entry lies two levels deep and ends in `.rgb`, or in the suffix of a write that was broken off.
 */
export async function pruneDiskCache(folder: string, limit = maxDiskCacheBytes): Promise<number> {
  const entries: { path: string; size: number; time: number }[] = [];
  for (const shard of await readdir(folder).catch(() => [])) {
    if (!/^[0-9a-f]{2}$/.test(shard)) continue;
    for (const name of await readdir(join(folder, shard)).catch(() => [])) {
      if (!/^[0-9a-f]{38}\.rgb/.test(name)) continue;
      const path = join(folder, shard, name);
      const info = await stat(path).catch(() => undefined);
      if (info) entries.push({ path, size: info.size, time: info.mtimeMs });
    }
  }
  let held = entries.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of entries.sort((a, b) => a.time - b.time)) {
    if (held <= limit) break;
    await rm(path, { force: true });
    held -= size;
  }
  return held;
}
