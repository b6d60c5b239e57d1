import { createHash } from 'node:crypto';
import { lstat, readFile, realpath, rm, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { EditStep } from '../../protocol/dataEdits.ts';
import { codeOf, messageOf, UserError, userError } from '../../protocol/errors.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';
import { writeAtomically } from '../../runs/atomicFile.ts';
import { requireRegular } from '../../runs/boundedFile.ts';
import { isWithin } from '../data/walkImages.ts';
import { diskError } from '../../runs/diskError.ts';

type Copy = Pick<Extract<EditStep, { step: 'copy' }>, 'from' | 'to' | 'sha256'>;

/** Bytes of an image that is copied. */
const mostBytes = 512 * 1024 * 1024;

/**
 * SHA-256 of an image outside the data folder. Throws a user error for what is no image by its name, is not there, or lies
 * in the data folder, whose images have classes.
 */
export async function hashOutside(root: string, image: string): Promise<string> {
  return sha256Of(await readOutside(root, image));
}

/**
 * Gives a file its copy in the data folder; one that is there already stays. Throws a user error if the file has gone or
 * changed since its edit, so that a journal that came with the data can copy nothing that its writer does not have.
 */
export async function copyInto(root: string, { from, to, sha256 }: Copy): Promise<void> {
  const target = join(root, to);
  if (await exists(target)) {
    if (await isCopied(root, { from, to, sha256 })) return;
    throw userError(`${target} is there already: move or rename it first.`);
  }
  const bytes = await readOutside(root, from);
  if (sha256Of(bytes) !== sha256) throw userError(`${from} has changed since it was labeled.`);
  await writeAtomically(target, (handle) => handle.writeFile(bytes));
}

/**
 * Takes a copy out of the data folder again, only while the file that it was made of is still there with the same content:
 * nothing is lost, whatever a journal says. Throws a user error otherwise.
 */
export async function removeCopy(root: string, { from, to, sha256 }: Copy): Promise<void> {
  const target = join(root, to);
  if (!(await exists(target))) return;
  if (!(await isCopied(root, { from, to, sha256 }))) {
    throw userError(`${target} has changed since it was labeled and is not removed: move it away by hand.`);
  }
  if (sha256Of(await readOutside(root, from)) !== sha256) {
    throw userError(`${target} is not removed, since ${from}, which it is a copy of, has changed.`);
  }
  try {
    await rm(target);
  } catch (error) {
    throw diskError(error, target);
  }
}

/** Whether the copy is there with the content that its edit names. */
export async function isCopied(root: string, { to, sha256 }: Copy): Promise<boolean> {
  const target = join(root, to);
  const status = await lstat(target).catch(() => undefined);
  return status?.isFile() === true && status.size <= mostBytes && sha256Of(await readFile(target)) === sha256;
}

async function readOutside(root: string, image: string): Promise<Buffer> {
  if (!isAbsolute(image) || !isImageFile(image)) throw userError(`${image} is not the absolute path of an image.`);
  try {
    const [real, inside] = await Promise.all([realpath(image), realpath(root)]);
    if (isWithin(real, inside)) {
      throw userError(`${image} lies in ${root}, whose images have classes: move it to another class instead.`);
    }
    const status = await stat(real);
    requireRegular(image, status);
    if (status.size > mostBytes) throw userError(`${image} is too large to be an image.`);
    return await readFile(real);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR')
      throw userError(`${image} is gone: somebody else has moved or deleted it.`);
    if (error instanceof UserError) throw error;
    throw userError(`${image} cannot be read (${messageOf(error)}): check the file.`, error);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw diskError(error, path);
  }
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
