import { chmod, lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, userError } from '../../protocol/errors.ts';

/** Rights of a folder that only its owner may enter, and of a file in it. */
const folderMode = 0o700;
export const privateFileMode = 0o600;

const othersMayWrite = 0o022;
const othersMayAnything = 0o077;

/**
 * Makes a folder that only this user may enter, or checks that the one that is there is such a folder. Throws a user
 * error, a sentence without its full stop, where the folder is another user's, a link, or open to others' writing: what
 * lies in it could be anybody's. Windows has no such rights, and there the folder lies in the user's own.
 */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: folderMode });
  await mkdir(path, { mode: folderMode }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
  const info = await lstat(path);
  if (info.isSymbolicLink()) throw userError('it is a link');
  if (!info.isDirectory()) throw userError('it is not a folder');
  if (process.platform === 'win32') return;
  if (!isOwn(info)) throw userError('it belongs to another user');
  if ((info.mode & othersMayWrite) !== 0) throw userError('other users may write to it');
  if ((info.mode & othersMayAnything) !== 0) await chmod(path, folderMode);
}

/** Whether a file or folder is this user's. */
export function isOwn({ uid }: { readonly uid: number }): boolean {
  return process.geteuid === undefined || uid === process.geteuid();
}
