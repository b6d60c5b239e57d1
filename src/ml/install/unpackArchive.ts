import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';

/** A file that is taken out of an archive. */
export interface Unpacked {
  /** Its path in the archive. */
  readonly from: string;
  /** Its name in the folder. */
  readonly to: string;
  readonly bytes: number;
}

/**
 * Writes files of a zip archive into a folder. `onBytes` hears how many bytes of a file have been written since the last
 * time. Throws an `Error` where the archive has not the file or the file has another size, an `AbortError` once `signal` is
 * aborted, and what the file system says.
 */
export async function unpackArchive(
  archive: string,
  members: readonly Unpacked[],
  folder: string,
  { onBytes, signal }: { readonly onBytes?: (bytes: number) => void; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const zip = await openPromise(archive, { autoClose: false, lazyEntries: true });
  try {
    const entries = await entriesOf(zip);
    for (const { from, to, bytes } of members) {
      const entry = entries.get(from);
      if (entry?.uncompressedSize !== bytes) throw new Error(`the archive has no ${from} of ${bytes} bytes`);
      const content = await zip.openReadStreamPromise(entry);
      content.on('data', (chunk: Uint8Array) => onBytes?.(chunk.byteLength));
      await pipeline(content, createWriteStream(join(folder, to), { flush: true }), { signal });
    }
  } finally {
    zip.close();
  }
}

async function entriesOf(zip: ZipFile): Promise<ReadonlyMap<string, Entry>> {
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
  return entries;
}
