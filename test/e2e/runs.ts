import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { runFiles, runRecordSchema, type RunRecord } from '../../src/protocol/runRecord.ts';

/** The record of a run; undefined while it is not there. */
export async function recordOf(run: string): Promise<RunRecord | undefined> {
  const content = await readFile(join(run, runFiles.record), 'utf8').catch(() => undefined);
  return content === undefined ? undefined : runRecordSchema.parse(JSON.parse(content));
}

/** The records of the runs in an opened folder. */
export async function recordsIn(folder: string): Promise<RunRecord[]> {
  const names = await readdir(join(folder, 'runs')).catch(() => []);
  const records = await Promise.all(names.map((name) => recordOf(join(folder, 'runs', name))));
  return records.filter((record) => record !== undefined);
}

/** Trainers outlive their window by design, so whoever began some ends them. */
export async function endTrainers(folder: string): Promise<void> {
  for (const { process: owner, state } of await recordsIn(folder).catch(() => [])) {
    if (owner === undefined || !['preparing', 'running', 'paused', 'stopping'].includes(state)) continue;
    try {
      process.kill(owner.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}
