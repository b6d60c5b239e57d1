import { rm } from 'node:fs/promises';
import { cancelled } from '../../protocol/errors.ts';
import type { RunRecord } from '../../protocol/runRecord.ts';
import { readRunRecord } from '../../runs/record.ts';
import { reopenRunFolder } from '../../runs/runFolder.ts';
import { queueRun } from '../training/run/trainRun.ts';
import type { Submission } from './target.ts';

/** The folder of a run that waits to be handed over. */
export interface QueuedRun {
  readonly folder: string;
  /** Its record, where the run was there before. */
  readonly before: RunRecord | undefined;
}

/** Checks runs and makes their folders, as `queueRun` does each. Where one is refused, none waits. */
export async function queueRuns({ runs, out, signal, onProgress }: Submission): Promise<readonly QueuedRun[]> {
  const made: QueuedRun[] = [];
  try {
    for (const { config, name, resume } of runs) {
      if (signal.aborted) throw cancelled();
      const before = resume === undefined ? undefined : await readRunRecord(resume);
      const places = { ...(name === undefined ? {} : { name }), ...(resume === undefined ? {} : { resume }) };
      made.push({ folder: await queueRun(config, { out, signal, onProgress, ...places }), before });
    }
    return made;
  } catch (error) {
    await takeBack(made);
    throw error;
  }
}

/** Says in the record of a run that no job will train it. */
export async function writeStopped(folder: string): Promise<void> {
  const run = await reopenRunFolder(folder);
  const reason = 'Taken out of the queue.';
  const time = new Date().toISOString();
  const step = run.record.progress?.step ?? 0;
  try {
    await run.update({ state: 'stopped', process: undefined, reason });
    run.append({ event: 'state', time, state: 'stopped' }, { event: 'done', time, state: 'stopped', step, reason });
  } finally {
    await run.close();
  }
}

/** Undoes that runs wait for a job, as there is none. */
export async function takeBack(queued: readonly QueuedRun[]): Promise<void> {
  for (const each of queued) await takeBackOne(each).catch(() => undefined);
}

async function takeBackOne({ folder, before }: QueuedRun): Promise<void> {
  if (before === undefined) return rm(folder, { recursive: true, force: true });
  const run = await reopenRunFolder(folder);
  await run.update(before).finally(run.close);
}
