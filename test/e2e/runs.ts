import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { runFiles, runRecordSchema, type RunRecord } from '../../src/protocol/runRecord.ts';
import { listRuns } from '../../src/runs/list.ts';
import { isVerified } from '../../src/runs/owner.ts';

/** The record of a run; undefined while it is not there. */
export async function recordOf(run: string): Promise<RunRecord | undefined> {
  const content = await readFile(join(run, runFiles.record), 'utf8').catch(() => undefined);
  return content === undefined ? undefined : runRecordSchema.parse(JSON.parse(content));
}

/** The records of the runs in an opened folder; what cannot be read is left out. */
export async function recordsIn(folder: string): Promise<readonly RunRecord[]> {
  return (await listRuns(join(folder, 'runs'))).runs.map(({ record }) => record);
}

/** Trainers outlive their window by design, so whoever began some ends them: those that are surely meant. */
export async function endTrainers(folder: string): Promise<void> {
  for (const { process: owner, state } of await recordsIn(folder)) {
    if (owner === undefined || !['preparing', 'running', 'paused', 'stopping'].includes(state)) continue;
    if (!isVerified(owner)) continue;
    try {
      process.kill(owner.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}
