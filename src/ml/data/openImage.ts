import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { userError } from '../../protocol/errors.ts';
import { nonBlocking } from '../../runs/boundedFile.ts';

/** Larger files are refused: what they hold is no image, or one of more pixels than can be read. */
const maxImageBytes = 2 ** 30;

/** A regular file that is open for reading. */
export interface OpenImage {
  readonly bytes: number;
  /** Bytes from a place on; fewer at the end of the file. */
  readonly read: (at: number, length: number) => Buffer;
}

/**
 * Opens an image file, hands it to `use` and closes it. Links are followed; devices, pipes and sockets are never opened,
 * since reading them may take something away, wait or never end. Throws a user error for these, for files of more than
 * 1 GB, and what `use` throws; file system errors as they are.
 */
export function withOpenImage<Result>(file: string, use: (image: OpenImage) => Result): Result {
  if (!statSync(file).isFile()) throw notRegular();
  // What stands there may have changed: without waiting, a pipe is open at once and then refused.
  const handle = openSync(file, constants.O_RDONLY | nonBlocking);
  try {
    const status = fstatSync(handle);
    if (!status.isFile()) throw notRegular();
    if (status.size > maxImageBytes) throw userError('The file has more than 1 GB; save a smaller copy to use it.');
    return use({ bytes: status.size, read: (at, length) => readPart(handle, at, Math.min(length, status.size - at)) });
  } finally {
    closeSync(handle);
  }
}

function readPart(handle: number, at: number, length: number): Buffer {
  if (!(length > 0)) return Buffer.alloc(0);
  const buffer = Buffer.allocUnsafeSlow(length);
  let read = 0;
  for (let got = -1; got !== 0 && read < length; read += got)
    got = readSync(handle, buffer, read, length - read, at + read);
  return buffer.subarray(0, read);
}

function notRegular(): Error {
  return userError('It is not a file but a folder, device, pipe or socket; leave it out.');
}
