import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { userError } from '../protocol/errors.ts';
import { runFiles } from '../protocol/runRecord.ts';
import { runSplitSchema, runSplitVersion, type RunSplit } from '../protocol/runSplit.ts';
import { writeTextAtomically } from './atomicFile.ts';
import { readBoundedJson, splitLimit } from './boundedFile.ts';

/** Reads a run's `split.json`; undefined where it has none. Throws a user error for one that is damaged or newer. */
export async function readRunSplit(folder: string): Promise<RunSplit | undefined> {
  const file = join(folder, runFiles.split);
  if (!existsSync(file)) return undefined;
  const content = await readBoundedJson(file, splitLimit);
  const version = typeof content === 'object' && content !== null && 'version' in content ? content.version : undefined;
  if (typeof version === 'number' && version > runSplitVersion) {
    throw userError(`${file} was written by a newer Fivecrop (format ${version}): update Fivecrop to use this run.`);
  }
  const result = runSplitSchema.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw userError(`${file} is damaged (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}): restore it.`);
}

/** Writes a run's `split.json` whole. Throws a user error where the disk refuses. */
export function writeRunSplit(folder: string, split: RunSplit): Promise<void> {
  return writeTextAtomically(join(folder, runFiles.split), `${JSON.stringify(split, undefined, 1)}\n`);
}
