import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { CancelledError, messageOf, usageError, UserError, userError } from '../../protocol/errors.ts';
import { type JobRecord, jobRecordVersion } from '../../protocol/jobRecord.ts';
import { sweepFiles } from '../../protocol/sweep.ts';
import { readJobRecord, writeJobRecord } from '../../runs/job.ts';
import { readStoredRun } from '../../runs/list.ts';
import { reopenRunFolder } from '../../runs/runFolder.ts';
import { chooseTrainingEngine } from '../engine/chooseTrainingEngine.ts';
import { jobHere, requeueJob } from '../submit/slurm.ts';
import type { RunFailure } from '../submit/target.ts';
import { webhookOf } from '../webhook/webhook.ts';
import { createTrainingControl, type TrainingControl } from '../training/run/control.ts';
import { trainRun } from '../training/run/trainRun.ts';
import type { Output } from './output.ts';
import { noteTrialEnd } from './submitTrials.ts';
import { createTrainingView } from './trainingView.ts';
import { trainingConfigFrom } from './trainingConfigFrom.ts';
import { whenNotTrained } from './whenNotTrained.ts';

/** Exit code of a job that has saved its run and goes back into the queue: EX_TEMPFAIL of sysexits. */
export const requeueExitCode = 75;

/**
 * What a job of Slurm does: trains the run in `folder` until it is done. At SIGUSR2, which comes before the time limit, the
 * run saves and the job puts itself back into the queue, if the run took a step. SIGTERM, by which a job is cancelled, saves
 * and stops.
 */
export async function work(folder: string, trial: JobOfSweep, output: Output): Promise<void> {
  const { sweep } = trial;
  const here = jobHere(process.env);
  if (!here)
    throw usageError('A job that fivecrop submit made runs this; use fivecrop submit, or fivecrop train --resume.');
  const control = createTrainingControl();
  const told: Told = {};
  process.on('SIGUSR2', () => {
    if (!control.signal.aborted) told.outOfTime = control.paused ? 'paused' : 'training';
    control.stop();
  });
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      told.outOfTime = undefined;
      control.stop();
    });
  }
  const job = await recordJob(folder, here);
  let end: End;
  try {
    end = await trainInJob(folder, trial, control, told, output);
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    await writeEnd(folder, 'failed', messageOf(error)).catch(() => undefined);
    if (sweep !== undefined) await noteTrialEnd(sweep, folder, { reason: messageOf(error), ...usageCause(error) });
    throw error;
  }
  if (end === 'out of time') return requeue(folder, job, here.job, output);
  if (end === 'finished' && sweep !== undefined) await noteTrialEnd(sweep, folder);
  if (end === 'stopped' && told.outOfTime !== undefined) throw userError(whyNotRequeued(told.outOfTime));
}

/** What a sweep has to do with the run of a job. */
export interface JobOfSweep {
  /** Folder of a sweep in which is noted how the run ended. */
  readonly sweep?: string | undefined;
  /** Folder of a sweep whose process waits for the run, and looks itself. */
  readonly trialOf?: string | undefined;
  /** Epochs after which the run stops. */
  readonly untilEpoch?: number | undefined;
}

/** A wrong setting fails again. */
function usageCause(error: unknown): Pick<RunFailure, 'cause'> {
  return error instanceof UserError && error.kind === 'usage' ? { cause: 'settings' } : {};
}

/** What the signals of a job have said so far. */
interface Told {
  outOfTime?: 'training' | 'paused' | undefined;
}

type End = 'finished' | 'stopped' | 'out of time';

/** Trains the run, after another process that still does. A `CancelledError` says that the job was canceled before that. */
async function trainInJob(
  folder: string,
  { sweep, trialOf, untilEpoch }: JobOfSweep,
  control: TrainingControl,
  told: Told,
  output: Output,
): Promise<End> {
  const waited = await whenNotTrained(folder, { say: output.say, signal: control.signal }).catch((error: unknown) => {
    if (error instanceof CancelledError && told.outOfTime !== undefined) return 'out of time' as const;
    throw error;
  });
  if (waited === 'out of time') return 'out of time';
  if (waited === 'finished') {
    output.say(`${folder} is finished.`);
    return 'finished';
  }
  const view = createTrainingView(output);
  const ends: { waits: boolean } = { waits: false };
  // Of a trial that is waited for, the end of the sweep is told.
  const webhook = trialOf === undefined ? webhookOf(process.env) : undefined;
  const shared = sweep ?? trialOf;
  const { done } = await trainRun(await trainingConfigFrom(undefined, { resume: folder }), {
    ...{ out: dirname(folder), resume: folder, chooseEngine: chooseTrainingEngine, control, isJob: true },
    ...(shared === undefined ? {} : { featuresFolder: join(shared, sweepFiles.features) }),
    ...(untilEpoch === undefined ? {} : { untilEpoch }),
    ...(webhook ? { webhook } : {}),
    onEvent: view.event,
    onProgress: view.preparation,
    waitsAfter: (steps) => (ends.waits = told.outOfTime === 'training' && steps > 0),
  }).finally(view.end);
  if (ends.waits) return 'out of time';
  view.summarise(folder, done);
  return done.state === 'finished' ? 'finished' : 'stopped';
}

function whyNotRequeued(outOfTime: 'training' | 'paused'): string {
  return outOfTime === 'paused'
    ? 'The time of the job was over while the run was paused: fivecrop submit resume continues it.'
    : 'The time of the job was over before the run took a step, so it would never end: submit it with more --time.';
}

/** Notes in the folder which job works on it, and how often it has begun anew. */
async function recordJob(
  folder: string,
  { job, restarts }: NonNullable<ReturnType<typeof jobHere>>,
): Promise<JobRecord> {
  const known = await readJobRecord(folder).catch(() => undefined);
  const submitted = known?.job === job ? known.submitted : new Date().toISOString();
  const record = { version: jobRecordVersion, scheduler: 'slurm', job, submitted, host: hostname() } as const;
  const requeued = { ...record, ...(restarts > 0 ? { requeues: restarts } : {}) };
  await writeJobRecord(folder, requeued);
  return requeued;
}

async function requeue(folder: string, job: JobRecord, name: string, output: Output): Promise<void> {
  await writeJobRecord(folder, { ...job, requeues: (job.requeues ?? 0) + 1 });
  output.say('The time of the job is nearly over: the run is saved, and the job goes back into the queue.');
  process.exitCode = requeueExitCode;
  // Slurm ends the job for it; all is written.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR2'] as const)
    process.removeAllListeners(signal).on(signal, () => undefined);
  try {
    await requeueJob(name);
  } catch (error) {
    const reason = `The time of its job was over, and the job could not go back into the queue: ${messageOf(error)}`;
    await writeEnd(folder, 'stopped', reason);
    throw error;
  }
}

/** Says in the record of a run that waits for a job why none trains it. */
async function writeEnd(folder: string, state: 'stopped' | 'failed', reason: string): Promise<void> {
  if (!['queued', 'broken off'].includes((await readStoredRun(folder)).state)) return;
  const run = await reopenRunFolder(folder);
  await run.update({ state, reason }).finally(run.close);
}
