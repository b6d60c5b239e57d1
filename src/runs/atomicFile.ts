import { constants, copyFile, type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../protocol/errors.ts';
import { diskError } from './diskError.ts';
import { temporaryName } from './temporaryFiles.ts';

/** How often and how long a rename waits for a reader that holds the file open, which only Windows minds. */
const renameAttempts = 10;
const renameWaitMilliseconds = 50;

/** Writes the content of a new file. */
export type Write = (handle: FileHandle) => Promise<void>;

/**
 * Writes a file that appears whole or not at all: under a temporary name, flushed to the disk, renamed. Its folder has to
 * be there. Throws a user error that names the file where the disk refuses; no temporary file stays behind then.
 */
export function writeAtomically(path: string, write: Write): Promise<void> {
  return appear(path, async (temporary) => {
    const handle = await open(temporary, 'wx');
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** Writes a text file as `writeAtomically` does. */
export function writeTextAtomically(path: string, text: string): Promise<void> {
  return writeAtomically(path, (handle) => handle.writeFile(text));
}

/**
 * Gives a file that is never changed in place a second name, which replaces what had that name; a copy where the disk has
 * no links. Throws as `writeAtomically` does.
 */
export function repeatAtomically(path: string, sameAs: string): Promise<void> {
  return appear(path, async (temporary) => {
    try {
      await link(sameAs, temporary);
    } catch {
      await copyFlushed(sameAs, temporary);
    }
  });
}

/** Copies a file so that the copy appears whole or not at all. Throws as `writeAtomically` does. */
export function copyAtomically(path: string, from: string): Promise<void> {
  return appear(path, (temporary) => copyFlushed(from, temporary));
}

async function copyFlushed(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  const handle = await open(to, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function appear(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await make(temporary);
    await renameOver(temporary, path);
    // Where both were names of one file already, it still has both.
    await rm(temporary, { force: true });
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw diskError(error, path);
  }
}

async function renameOver(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const held = ['EPERM', 'EBUSY', 'EACCES'].includes(codeOf(error) ?? '');
      if (process.platform !== 'win32' || !held || attempt === renameAttempts) throw error;
      await delay(renameWaitMilliseconds);
    }
  }
}

/** Has the names in a folder reach the disk, which a flushed file alone does not say. Windows has no such call. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
