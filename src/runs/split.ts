import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runFiles } from '../protocol/runRecord.ts';
import { runSplitSchema, runSplitVersion, type RunSplit } from '../protocol/runSplit.ts';
import { writeTextAtomically } from './atomicFile.ts';
import { readBoundedJson, splitLimit } from './boundedFile.ts';
import { parseVersioned } from './versionedJson.ts';

/** Reads a run's `split.json`; undefined where it has none. Throws a user error for one that is damaged or newer. */
export async function readRunSplit(folder: string): Promise<RunSplit | undefined> {
  const file = join(folder, runFiles.split);
  if (!existsSync(file)) return undefined;
  return parseVersioned(file, await readBoundedJson(file, splitLimit), {
    version: runSplitVersion,
    schema: runSplitSchema,
    use: 'use this run',
    misfit: 'is damaged',
    remedy: 'restore it',
  });
}

/** Writes a run's `split.json` whole. Throws a user error where the disk refuses. */
export function writeRunSplit(folder: string, split: RunSplit): Promise<void> {
  return writeTextAtomically(join(folder, runFiles.split), `${JSON.stringify(split, undefined, 1)}\n`);
}
