import { mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf, UserError, userError } from '../protocol/errors.ts';
import { diskError } from './diskError.ts';
import { sweepStagedFolders, temporaryName } from './temporaryFiles.ts';

/**
 * Makes a folder that appears by one rename when all is in it, or not at all. `fill` puts its content into `folder`, which
 * is empty; what it leaves in `beside`, empty too, is removed. `what` is what the folder is for, as errors say it: `the
 * data set`. Throws a user error where `target` holds something or the disk refuses, and what `fill` throws.
 */
export async function makeNewFolder<Result>(
  target: string,
  what: string,
  fill: (folder: string, beside: string) => Promise<Result>,
): Promise<Result> {
  const path = resolve(target);
  await requireFree(path, what);
  const made = await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw diskError(error, path);
  });
  await sweepStagedFolders(dirname(path));
  const staging = temporaryName(join(dirname(path), `.${basename(path)}`));
  const [folder, beside] = [join(staging, 'made'), join(staging, 'beside')];
  let isDone = false;
  try {
    await mkdir(staging);
    await mkdir(folder);
    await mkdir(beside);
    const result = await fill(folder, beside);
    await publish(folder, path, what);
    isDone = true;
    return result;
  } catch (error) {
    throw diskError(error, path);
  } finally {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined);
    if (!isDone && made !== undefined) await removeEmpty(dirname(path), made);
  }
}

/** Throws a user error where something is in the way. */
async function requireFree(target: string, what: string): Promise<void> {
  try {
    if ((await readdir(target)).length > 0) throw userError(`${target} is not empty; name a new folder for ${what}.`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (codeOf(error) === 'ENOENT') return;
    if (codeOf(error) === 'ENOTDIR') throw userError(`${target} is a file; name a new folder for ${what}.`, error);
    throw userError(`The folder ${target} cannot be used: check its permissions.`, error);
  }
}

/** The new folder gets its name, which an empty one may have had. */
async function publish(folder: string, target: string, what: string): Promise<void> {
  await rmdir(target).catch(() => undefined);
  try {
    await rename(folder, target);
  } catch (error) {
    const isTaken = ['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOTDIR'].includes(codeOf(error) ?? '');
    const isThere = (await stat(target).catch(() => undefined)) !== undefined;
    if (isTaken && isThere) throw userError(`${target} is not empty any more; name a new folder for ${what}.`, error);
    throw error;
  }
}

/** Removes folders from `folder` up to `top`, as long as they are empty. */
async function removeEmpty(folder: string, top: string): Promise<void> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      return;
    }
    if (path === resolve(top) || path === dirname(path)) return;
  }
}
