import { basename, join } from 'node:path';
import { cancelled, usageError } from '../../protocol/errors.ts';
import { type JobRecord, jobRecordVersion } from '../../protocol/jobRecord.ts';
import { writeJobRecord } from '../../runs/job.ts';
import { batchScript, outputPattern, secondsOfLimit } from './batchScript.ts';
import { openJobTrainer } from './jobTrainer.ts';
import { queueRuns, takeBack } from './queueRuns.ts';
import { cancelJobs, jobsInQueue, type QueuedJob, submitBatch } from './slurm.ts';
import type { Explanation, JobRun, Submission, SubmitTarget } from './target.ts';

/** Seconds before the time limit at which a run saves, unless `--signal` says so. */
export const usualSignal = 120;

/** Seconds by which Slurm may send a signal before it is due: it looks at limits once in a while (sbatch(1), `--signal`). */
const earliness = 60;
/** Seconds in which a job gets to its first step at best, with its program and its images to be read. */
const begin = 60;

/** States of jobs that will run, or do; all others are ends. */
const liveStates = [
  'PENDING',
  'CONFIGURING',
  'RUNNING',
  'SUSPENDED',
  'REQUEUED',
  'REQUEUE_HOLD',
  'RESIZING',
  'STOPPED',
];

/** A cluster of Slurm that shares the disk of the runs with this machine. */
export const slurmTarget: SubmitTarget = {
  ownOptions: ['partition', 'gpus', 'time', 'cpus', 'memory', 'parallel', 'signal', 'sbatchOption'],
  takesSweeps: true,
  hasEnvironment: true,
  check: ({ place, options }, runs) => void optionsOf(place, options, runs),
  submit,
  openTrainer: (place, options) => Promise.resolve(openJobTrainer(slurmTarget, place, options)),
  explain,
  cancel: (runs) => cancelJobs(runs.map(({ job }) => job.job)),
};

async function submit(submission: Submission): Promise<readonly string[]> {
  const { runs, out, sweep, trial, place, command, options, signal, environment } = submission;
  const given = optionsOf(place, options, runs.length);
  const queued = await queueRuns(submission);
  let job: string | undefined;
  try {
    const folders = queued.map(({ folder }) => folder);
    const [first = out] = folders;
    const isArray = folders.length > 1;
    const log = isArray ? `${outputPattern(sweep ?? out)}/slurm-%A_%a.log` : outputPattern(join(first, 'job.log'));
    if (signal.aborted) throw cancelled();
    const script = batchScript(command, folders, [
      'submit',
      'work',
      ...(sweep === undefined ? [] : ['--sweep', sweep]),
      ...(trial === undefined ? [] : ['--trial-of', trial.sweep]),
      ...(trial?.untilEpoch === undefined ? [] : ['--until-epoch', String(trial.untilEpoch)]),
    ]);
    const naming = [`--job-name=fivecrop ${basename(sweep ?? first)}`, `--output=${log}`, `--chdir=${out}`];
    job = await submitBatch(script, [...given, ...naming], environment);
    for (const [index, folder] of folders.entries())
      await writeJobRecord(folder, jobRecord(isArray ? `${job}_${index + 1}` : job));
    return folders;
  } catch (error) {
    if (job !== undefined) await cancelJobs([job]).catch(() => undefined);
    await takeBack(queued);
    throw error;
  }
}

function jobRecord(job: string): JobRecord {
  return { version: jobRecordVersion, scheduler: 'slurm', job, submitted: new Date().toISOString() };
}

/** What sbatch is told. Throws a usage error where it cannot be meant. */
function optionsOf(place: string | undefined, options: Submission['options'], count: number): string[] {
  if (place !== undefined) throw usageError('--to slurm takes no host: sbatch knows its cluster.');
  const { partition, gpus, time, cpus, memory, parallel, signal = usualSignal, sbatchOption = [] } = options;
  if (parallel !== undefined && count === 1)
    throw usageError('--parallel says how many of several runs train at the same time; there is one run.');
  const others = Array.isArray(sbatchOption) ? sbatchOption.map(String) : [];
  // Of several, sbatch takes the last.
  const said = others.flatMap((option) => /^(?:--time=|-t)(.+)$/u.exec(option)?.[1] ?? []).at(-1) ?? time;
  const limit = typeof said === 'string' ? secondsOfLimit(said) : undefined;
  const least = Number(signal) + earliness + begin;
  // No seconds are no limit.
  if (limit !== undefined && limit > 0 && limit < least)
    throw usageError(
      `--time ${String(said)} may end before the first step: the run saves ${String(signal)} seconds before that, and Slurm tells it up to a minute earlier. Give it at least ${Math.ceil(least / 60)} minutes, or --signal fewer seconds.`,
    );
  const flags = { partition, gpus, time, 'cpus-per-task': cpus, mem: memory };
  return [
    '--requeue',
    '--open-mode=append',
    // Not TERM, by which a cancelled job is ended.
    `--signal=B:USR2@${String(signal)}`,
    ...Object.entries(flags).flatMap(([flag, value]) => (typeof value === 'string' ? [`--${flag}=${value}`] : [])),
    ...(count > 1 ? [`--array=1-${count}${typeof parallel === 'number' ? `%${parallel}` : ''}`] : []),
    ...others,
  ];
}

async function explain(runs: readonly JobRun[]): Promise<ReadonlyMap<string, Explanation>> {
  const jobs = await jobsInQueue(runs.map(({ job }) => job.job));
  return new Map(runs.map((run) => [run.folder, explanationOf(run, jobs.get(run.job.job))]));
}

/** What the scheduler says of the job of a run; undefined is a job that it does not know. */
export function explanationOf(
  { state: runState, job: { job: name } }: Pick<JobRun, 'state' | 'job'>,
  job: QueuedJob | undefined,
): Explanation {
  if (!job) return { isThere: false, sentence: `Slurm does not know job ${name} any more` };
  const { state, reason, nodes } = job;
  const why = reason === '' || reason === 'None' ? '' : ` (${reason})`;
  const where = nodes === '' ? '' : ` on ${nodes}`;
  // A job that goes back into the queue completes first, as one does whose run has ended.
  const isThere = liveStates.includes(state) || (state === 'COMPLETING' && ['queued', 'broken off'].includes(runState));
  return { isThere, sentence: `job ${name} is ${state}${where}${why}` };
}
