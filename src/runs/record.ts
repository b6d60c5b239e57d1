import { join } from 'node:path';
import { codeOf, userError } from '../protocol/errors.ts';
import { runFiles, runRecordSchema, runRecordVersion, type RunRecord } from '../protocol/runRecord.ts';
import { writeTextAtomically } from './atomicFile.ts';
import { readBoundedJson, recordLimit } from './boundedFile.ts';
import { parseVersioned } from './versionedJson.ts';

/** Reads and checks `run.json`. Throws a user error where there is none, or none that this version understands. */
export async function readRunRecord(folder: string): Promise<RunRecord> {
  const file = join(folder, runFiles.record);
  const content = await readBoundedJson(file, recordLimit).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw userError(`${folder} is not a run: it has no ${runFiles.record}. Choose the folder of a run.`, error);
  });
  return parseVersioned(file, content, {
    version: runRecordVersion,
    schema: runRecordSchema,
    use: 'open this run',
    misfit: 'is not the record of a run',
    remedy: 'restore or delete it',
  });
}

/** Replaces `run.json` whole. Throws a user error where the disk refuses. */
export function writeRunRecord(folder: string, record: RunRecord): Promise<void> {
  return writeTextAtomically(join(folder, runFiles.record), `${JSON.stringify(record, undefined, 2)}\n`);
}
