import { constants, copyFile, type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, messageOf, userError } from '../protocol/errors.ts';

/** How often and how long a rename waits for a reader that holds the file open, which only Windows minds. */
const renameAttempts = 10;
const renameWaitMilliseconds = 50;

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

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export type FileToWrite =
  | { readonly path: string; readonly write: (handle: FileHandle) => Promise<void> }
  /** A second name for a file that was written before and is never changed in place; a copy where the disk has no links. */
  | { readonly path: string; readonly sameAs: string };

async function stage(file: FileToWrite, temporary: string): Promise<void> {
  if ('sameAs' in file) {
    await rm(temporary, { force: true });
    try {
      await link(file.sameAs, temporary);
      return;
    } catch {
      await copyFile(file.sameAs, temporary, constants.COPYFILE_FICLONE);
    }
  }
  const handle = await open(temporary, 'sameAs' in file ? 'r+' : 'w');
  try {
    if ('write' in file) await file.write(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes files that appear whole or not at all: each under a temporary name, flushed to disk; then all are renamed in
 * order, so that files which belong together change at nearly the same moment. The folder is made where it is missing.
 * Throws a user error that names the file where the disk refuses; no temporary file stays behind then.
 */
export async function writeAtomically(files: readonly FileToWrite[]): Promise<void> {
  const written = files.map((file) => ({
    file,
    path: file.path,
    temporary: `${file.path}.${String(process.pid)}.tmp`,
  }));
  let current = written[0]?.path ?? '';
  try {
    for (const { file, path, temporary } of written) {
      current = path;
      await mkdir(dirname(path), { recursive: true });
      await stage(file, temporary);
    }
    for (const { path, temporary } of written) {
      current = path;
      await renameOver(temporary, path);
    }
    for (const folder of new Set(written.map(({ path }) => dirname(path)))) await syncFolder(folder);
  } catch (error) {
    await Promise.allSettled(written.map(({ temporary }) => rm(temporary, { force: true })));
    if (codeOf(error) === undefined) throw error;
    throw userError(
      `${current} could not be written (${messageOf(error)}): check that the disk has room and that the folder may be written.`,
      error,
    );
  }
}

/** Writes a text file as `writeAtomically` does. */
export function writeTextAtomically(path: string, text: string): Promise<void> {
  return writeAtomically([{ path, write: (handle) => handle.writeFile(text) }]);
}
