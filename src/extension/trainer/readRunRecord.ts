import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, userError } from '../../protocol/errors.ts';
import { runFiles, runRecordSchema, runRecordVersion, type RunRecord } from '../../protocol/runRecord.ts';

/** Reads and checks `run.json`. Throws a user error where there is none, or none that this version understands. */
export async function readRunRecord(folder: string): Promise<RunRecord> {
  const file = join(folder, runFiles.record);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw userError(`${file} cannot be read (${messageOf(error)}); delete the run or restore the file.`, error);
  }
  const version = typeof content === 'object' && content !== null && 'version' in content ? content.version : undefined;
  if (typeof version === 'number' && version > runRecordVersion) {
    throw userError(`${file} was written by a newer Fivecrop (format ${version}); update Fivecrop to open this run.`);
  }
  const result = runRecordSchema.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw userError(`${file} is not the record of a run: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`);
}
