import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { parseBoundedJson } from '../protocol/boundedJson.ts';
import { messageOf, UserError, userError } from '../protocol/errors.ts';

/** The largest file of a kind that is read; more than any run writes. */
export interface FileLimit {
  /** Ends the sentence that refuses a larger one: `the record of a run`. */
  readonly what: string;
  readonly bytes: number;
}

const mebibyte = 1024 * 1024;

export const recordLimit: FileLimit = { what: 'the record of a run', bytes: 4 * mebibyte };
export const lineLimit: FileLimit = { what: 'a line of events', bytes: mebibyte };
export const headerLimit: FileLimit = { what: 'the header of a checkpoint', bytes: 16 * mebibyte };
/** Three hundred characters of path and digest for each of a million images. */
export const splitLimit: FileLimit = { what: 'the split of a run', bytes: 300 * mebibyte };
export const evaluationLimit: FileLimit = { what: 'a test result', bytes: 64 * mebibyte };
export const settingsLimit: FileLimit = { what: 'a file of settings', bytes: mebibyte };
export const classNamesLimit: FileLimit = { what: 'a file of class names', bytes: 16 * mebibyte };
export const tableLimit: FileLimit = { what: 'a table of images', bytes: 256 * mebibyte };
export const profileLimit: FileLimit = { what: 'the profile of a run', bytes: 16 * mebibyte };

/** Reads and writes are cut into parts, since one system call takes no more than 2 GiB. */
export const partBytes = 1 << 30;

/**
 * Opens an ordinary file to be read. Links are followed; a FIFO, a device, a socket or a folder at their end is refused
 * unopened, since to open or read one may never end. Throws a user error where the file cannot be opened.
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  const handle = await openOrdinary(path);
  try {
    requireRegular(path, await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openOrdinary(path: string): Promise<FileHandle> {
  try {
    requireRegular(path, await stat(path));
    // What lies there may have changed since: this returns at once nevertheless.
    return await open(path, constants.O_RDONLY | nonBlocking);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw userError(`${path} cannot be opened (${messageOf(error)}): check the path.`, error);
  }
}

/**
 * Opens an ordinary file, hands over its handle and size in bytes, and closes it. Throws a user error as
 * `openRegularFile` does.
 */
export async function withRegularFile<Result>(
  path: string,
  use: (handle: FileHandle, size: number) => Promise<Result>,
): Promise<Result> {
  const handle = await openRegularFile(path);
  try {
    return await use(handle, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}

/** To open a FIFO does not wait with this flag. Windows has no such flag, and no FIFOs in folders. */
export const nonBlocking = process.platform === 'win32' ? 0 : constants.O_NONBLOCK;

/** Throws a user error where a file is not an ordinary one. */
export function requireRegular(path: string, status: Stats): void {
  if (!status.isFile()) throw userError(`${path} is ${kindOf(status)}, not a file: put an ordinary file there.`);
}

function kindOf(status: Stats): string {
  if (status.isDirectory()) return 'a folder';
  if (status.isFIFO()) return 'a FIFO';
  return status.isSocket() ? 'a socket' : 'a device';
}

/**
 * The bytes of an ordinary file, as many as its size says at the beginning and no more than `limit`. Throws a user error
 * as `withRegularFile` does, and where the file is larger.
 */
export function readBoundedBytes(path: string, limit: FileLimit): Promise<Uint8Array> {
  return withRegularFile(path, (handle, size) => {
    if (size > limit.bytes) throw tooLarge(path, size, limit);
    return readBytes(handle, 0, size, () => userError(`${path} became shorter while it was read: try again.`));
  });
}

/** The text of an ordinary file, UTF-8. Throws a user error as `readBoundedBytes` does. */
export async function readBoundedText(path: string, limit: FileLimit): Promise<string> {
  const bytes = await readBoundedBytes(path, limit);
  if (isUtf16(bytes)) throw userError(`${path} is written in UTF-16: save it as UTF-8.`);
  return new TextDecoder().decode(bytes);
}

/** Editors on Windows write it with a mark at its beginning. */
function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** `readBoundedText` parsed as JSON. Throws a user error also where the text is not JSON, or names a key twice. */
export async function readBoundedJson(path: string, limit: FileLimit): Promise<unknown> {
  const text = await readBoundedText(path, limit);
  try {
    return parseBoundedJson(text);
  } catch (error) {
    throw userError(`${path} cannot be used: ${messageOf(error)}. Correct, restore or delete it.`, error);
  }
}

function tooLarge(path: string, size: number, { what, bytes }: FileLimit): Error {
  const mebibytes = (count: number) => `${Math.ceil(count / mebibyte).toLocaleString('en')} MiB`;
  return userError(`${path} has ${mebibytes(size)}, and ${what} at most ${mebibytes(bytes)}: restore or delete it.`);
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
