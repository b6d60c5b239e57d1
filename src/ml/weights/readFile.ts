import { type FileHandle, open } from 'node:fs/promises';
import { messageOf, userError } from '../../protocol/errors.ts';

/** Reads and writes are cut into parts, since one system call takes no more than 2 GiB. */
export const partBytes = 1 << 30;

/**
 * Opens a file, hands over its handle and size in bytes, and closes it. Throws a user error where it cannot be opened
 * or is a folder.
 */
export async function withFile<Result>(
  path: string,
  use: (handle: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  let handle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw userError(`${path} cannot be opened (${messageOf(error)}): check the path.`, error);
  }
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw userError(`${path} is no file: name the file of weights itself.`);
    return await use(handle, status.size);
  } finally {
    await handle.close();
  }
}

/** `length` bytes of a file from `position` in memory of their own. Throws what `short` makes where the file ends before. */
export async function readBytes(
  handle: FileHandle,
  position: number,
  length: number,
  short: () => Error,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const part = bytes.subarray(done, done + partBytes);
    const { bytesRead } = await handle.read(part, 0, part.byteLength, position + done);
    if (bytesRead === 0) throw short();
    done += bytesRead;
  }
  return bytes;
}
