import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { userError } from '../protocol/errors.ts';
import { runFiles } from '../protocol/runRecord.ts';

/**
 * The checkpoint file that a path means: the file itself, or of a run's folder the best one, else the last. Throws a user
 * error where there is none.
 */
export function checkpointPath(path: string): string {
  if (!existsSync(path)) throw userError(`There is no checkpoint ${path}; fivecrop runs lists what there is.`);
  if (!statSync(path).isDirectory()) return path;
  const found = [runFiles.best, runFiles.last]
    .map((name) => join(path, runFiles.checkpoints, name))
    .find((file) => existsSync(file));
  if (found === undefined) {
    throw userError(
      `There is no checkpoint in ${path}; name a .safetensors file or the folder of a run that has saved one.`,
    );
  }
  return found;
}
