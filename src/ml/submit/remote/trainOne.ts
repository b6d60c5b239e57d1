import { dirname, join } from 'node:path';
import process from 'node:process';
import { messageOf } from '../../../protocol/errors.ts';
import { readControl } from '../../../runs/control.ts';
import { readRunRecord } from '../../../runs/record.ts';
import { reopenRunFolder } from '../../../runs/runFolder.ts';
import { chooseTrainingEngine } from '../../engine/chooseTrainingEngine.ts';
import { createTrainingControl } from '../../training/run/control.ts';
import { trainRun } from '../../training/run/trainRun.ts';
import { readJob } from './job.ts';

/** Where runs share features, seen from the folder of a job. */
const featuresFolder = '../../features';

/** Trains a run of a job, unless somebody wants it stopped by now. Its folder says how it ended. */
export async function trainOne(job: string, run: string): Promise<void> {
  if ((await readControl(run))?.action === 'stop') return endRun(run, 'stopped', 'Stopped before it began.');
  const control = createTrainingControl();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, control.stop);
  try {
    const { config } = await readRunRecord(run);
    const { untilEpoch, features } = await readJob(job);
    await trainRun(config, {
      ...{ out: dirname(run), resume: run, chooseEngine: chooseTrainingEngine, control, isJob: true },
      ...(untilEpoch === undefined ? {} : { untilEpoch }),
      ...(features === undefined ? {} : { featuresFolder: join(job, featuresFolder, features) }),
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
    await endRun(run, 'failed', messageOf(error));
  }
}

/** Writes down how a run ended of which no process says so. */
async function endRun(run: string, state: 'stopped' | 'failed', reason: string): Promise<void> {
  const folder = await reopenRunFolder(run);
  try {
    if (folder.record.process !== undefined) return;
    const time = new Date().toISOString();
    const step = folder.record.progress?.step ?? 0;
    await folder.update({ state, reason });
    folder.append({ event: 'state', time, state }, { event: 'done', time, state, step, reason });
  } finally {
    await folder.close();
  }
}
