import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cancelled, messageOf, UserError, userError } from '../../protocol/errors.ts';
import { withRegularFile } from '../../runs/boundedFile.ts';
import { diskError } from '../../runs/diskError.ts';
import { type ArchiveEntry, archiveKindOf, openZip, tarEntries } from './archiveEntries.ts';
import { type ArchiveLimits, createArchiveBudget } from './archiveLimits.ts';
import { createEntryPaths, entryParts } from './entryPaths.ts';

export interface UnpackOptions {
  /**
   * Where a file of the archive goes: a path in the folder, with `/`; undefined for one that is left out. `path` has `/` and
   * leads nowhere else.
   */
  readonly take: (path: string, bytes: number) => string | undefined;
  /** How far it is: bytes of a zip's files that are written, of a tar that are read. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Has each file reach the disk before the next one. */
  readonly flush?: boolean;
  readonly signal?: AbortSignal;
  readonly limits?: ArchiveLimits;
}

/**
 * Unpacks files of a zip or tar archive (also packed by gzip, or by Zstandard where Node can) into a folder that is there,
 * as a stream. Throws a user error where the archive is damaged, where it holds anything but files and folders inside it,
 * two names that some disk takes for one, or more than `archiveLimits` and the disk allow: then the folder holds a part,
 * which the caller removes. Throws a `CancelledError` once `signal` is aborted.
 */
export async function unpackArchive(archive: string, folder: string, options: UnpackOptions): Promise<void> {
  const { kind, bytes } = await withRegularFile(archive, async (handle, size) => ({
    kind: await archiveKindOf(archive, handle),
    bytes: size,
  }));
  if (kind === undefined) throw userError(`${archive} is not an archive that can be read: pack it as zip or tar.gz.`);
  const place = await createPlacing(archive, bytes, folder, options);
  try {
    if (kind === 'zip') await unpackZip(archive, folder, place, options);
    else {
      let done = 0;
      const onBytes = (count: number) => options.onProgress?.((done += count), bytes);
      for await (const entry of tarEntries(archive, kind, onBytes, options.signal)) {
        if (options.signal?.aborted) throw cancelled();
        const to = place(entry);
        if (to !== undefined) await write(entry, join(folder, to), options);
      }
    }
  } catch (error) {
    if (options.signal?.aborted) throw cancelled();
    const told = diskError(error, folder);
    if (told instanceof UserError) throw told;
    throw userError(`${archive} is damaged (${messageOf(error)}): download or pack it again.`, error);
  }
}

/** Checks the whole directory of a zip before anything is written. */
async function unpackZip(
  archive: string,
  folder: string,
  place: (entry: ArchiveEntry) => string | undefined,
  { onProgress, ...options }: UnpackOptions,
): Promise<void> {
  const { signal } = options;
  const zip = await openZip(archive);
  try {
    const taken: { readonly entry: ArchiveEntry; readonly to: string }[] = [];
    for await (const entry of zip.entries) {
      if (signal?.aborted) throw cancelled();
      const to = place(entry);
      if (to !== undefined) taken.push({ entry, to });
    }
    const total = taken.reduce((sum, { entry }) => sum + entry.bytes, 0);
    let done = 0;
    const onBytes = (bytes: number) => onProgress?.((done += bytes), total);
    for (const { entry, to } of taken) await write(entry, join(folder, to), options, onBytes);
  } finally {
    zip.close();
  }
}

/** Decides for each entry where it goes; throws a user error for one that must not be unpacked. */
async function createPlacing(archive: string, bytes: number, folder: string, { take, limits }: UnpackOptions) {
  const budget = await createArchiveBudget(archive, bytes, folder, limits);
  const paths = createEntryPaths();
  return (entry: ArchiveEntry): string | undefined => {
    try {
      const parts = entryParts(entry.name);
      if (typeof entry.kind === 'object') {
        throw new Error(`${entry.name}, ${entry.kind.other}, and only files and folders are unpacked`);
      }
      paths.add(parts, entry.kind);
      const to = entry.kind === 'file' && parts.length > 0 ? take(parts.join('/'), entry.bytes) : undefined;
      budget.add(entry.bytes, to !== undefined);
      return to;
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw userError(`${archive} is not unpacked, because it holds ${messageOf(error)}.`, error);
    }
  };
}

async function write(
  entry: ArchiveEntry,
  to: string,
  { flush = false, signal }: Pick<UnpackOptions, 'flush' | 'signal'>,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const content = await entry.content();
  if (onBytes) content.on('data', (chunk: Uint8Array) => onBytes(chunk.byteLength));
  // A new file: what is there already, or a link, is never written through.
  await pipeline(content, createWriteStream(to, { flags: 'wx', flush }), signal ? { signal } : {});
}
