import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { type EditStep, journalFile } from '../../protocol/dataEdits.ts';
import { codeOf, userError } from '../../protocol/errors.ts';
import { diskError } from '../../runs/diskError.ts';

/**
 * Throws a user error if a step would change anything outside the data folder: by its path, or by a link on its way. A
 * journal may have come with a data set, so what it says is not to be trusted.
 */
export async function requireInside(root: string, steps: readonly EditStep[]): Promise<void> {
  const paths = steps.flatMap(pathsOf);
  for (const path of paths) {
    if (path.split('/').some(isNoName)) {
      throw userError(`${join(root, journalFile)} names “${path}”, which cannot be in the data folder: restore the journal, or move it away to begin a new one.`); // prettier-ignore
    }
  }
  for (const path of paths) await requireNoLinks(root, path);
}

function pathsOf(step: EditStep): string[] {
  switch (step.step) {
    case 'move':
      return [step.from, step.to];
    case 'copy':
    case 'removeCopy':
      return [step.to];
    case 'makeFolder':
    case 'removeFolder':
      return [step.folder];
    case 'ignoreList':
      return [];
  }
}

/** Whether a part of a path, which has no `/`, names no file or folder. Windows takes more for a way to elsewhere. */
function isNoName(part: string): boolean {
  if (part === '' || part === '.' || part === '..' || part.includes('\0')) return true;
  return process.platform === 'win32' && /[\\:]|[ .]$/u.test(part);
}

/**
 * Throws a user error if anything on a path below `root` is a link, its end included: a link that is moved may lead nowhere
 * afterwards, and what lies behind a linked folder is somebody else's. What is not there is no link.
 */
export async function requireNoLinks(root: string, path: string): Promise<void> {
  const parts = path.split('/');
  for (let depth = 1; depth <= parts.length; depth++) {
    const part = join(root, ...parts.slice(0, depth));
    const status = await lstat(part).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw diskError(error, part);
    });
    if (!status) return;
    if (status.isSymbolicLink()) {
      throw userError(
        `${part} is a link, which is not moved: put the folder or file itself there, or put the image aside.`,
      );
    }
  }
}

/** Throws a user error if there is something at `path` that is not an ordinary file. */
export async function requireOrdinaryFile(path: string): Promise<void> {
  const status = await lstat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw diskError(error, path);
  });
  if (status && !status.isFile()) {
    throw userError(`${path} is a link or not a file: put an ordinary file there, or move it away.`);
  }
}
