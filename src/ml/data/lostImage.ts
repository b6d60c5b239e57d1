import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type UserError, userError } from '../../protocol/errors.ts';

/** What became of a file that a run needs: gone, out of reach, or another image. */
export interface Loss {
  readonly kind: 'gone' | 'changed';
  /** The system's words where it gave any. */
  readonly reason: string;
}

/** The error that ends a run whose data went or changed: it names the folder where a whole folder is missing. */
export function lostImage(file: string, { kind, reason }: Loss): UserError {
  const next = 'then resume the run from its last checkpoint';
  if (kind === 'changed') {
    return userError(
      `${file} is no longer the image that the run began with: put that one back, ${next}, or start a new run.`,
    );
  }
  if (existsSync(file)) {
    return userError(
      `${file} can no longer be read (${reason}): check that its disk or network folder is available, ${next}.`,
    );
  }
  return userError(
    `${firstMissing(file)} is no longer there, and the run needs the images that it began with: put it back, ${next}.`,
  );
}

/** The topmost folder on the way to a file that is not there, or the file. */
export function firstMissing(file: string): string {
  const parent = dirname(file);
  return parent === file || existsSync(parent) ? file : firstMissing(parent);
}
