import { execFile } from 'node:child_process';
import process from 'node:process';
import { codeOf, messageOf, userError } from '../../protocol/errors.ts';

/** How a job of Slurm is named: `12`, or `12_3` for a task of an array. */
const jobName = /^\d{1,18}(?:_\d{1,18})?$/u;

/** Whether a name, which a file may have given, is that of a job: nothing else is handed to Slurm's commands. */
export function isSlurmJob(name: string): boolean {
  return jobName.test(name);
}

/** A job as the scheduler knows it. */
export interface QueuedJob {
  /** `PENDING`, `RUNNING`, `TIMEOUT`, ... */
  readonly state: string;
  /** Why it waits or how it ended: `Priority`; `None` where there is nothing to say. */
  readonly reason: string;
  /** Where it runs or ran; empty before. */
  readonly nodes: string;
}

/**
 * Hands a batch script over and returns the number of the job, which gets our environment with `more` in it. Throws a user
 * error with what sbatch says.
 */
export async function submitBatch(
  script: string,
  options: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer = await slurm('sbatch', ['--parsable', ...options], { input: script, more });
  // `12`, or `12;cluster`.
  const [job = ''] = answer.trim().split(';');
  if (!isSlurmJob(job)) throw userError(`sbatch did not say the number of the job, but: ${answer.trim()}`);
  return job;
}

/**
 * What the scheduler knows of jobs, those that ended in the last minutes among them; a job that it does not know is left
 * out. One question for all of them.
 */
export async function jobsInQueue(jobs: readonly string[]): Promise<ReadonlyMap<string, QueuedJob>> {
  const found = new Map<string, QueuedJob>();
  const arrays = new Set(jobs.filter(isSlurmJob).map((job) => job.split('_')[0] ?? job));
  if (arrays.size === 0) return found;
  const wanted = ['--noheader', '--array', '--states=all', `--jobs=${[...arrays].join(',')}`];
  // Its JSON differs from version to version, needs a plugin, and is of all jobs of the cluster in some.
  const answer = await slurm('squeue', [...wanted, '--format=%i|%T|%r|%N']).catch((error: unknown) => {
    if (/invalid job id/iu.test(messageOf(error))) return '';
    throw error;
  });
  for (const line of answer.split('\n')) {
    const [job, state, reason, nodes] = line.trim().split('|');
    if (job === undefined || state === undefined || !jobs.includes(job)) continue;
    found.set(job, { state, reason: reason ?? '', nodes: nodes ?? '' });
  }
  return found;
}

/** Takes jobs out of the queue, or ends those that run. Those that have ended are left out. */
export async function cancelJobs(jobs: readonly string[]): Promise<void> {
  const known = jobs.filter(isSlurmJob);
  if (known.length === 0) return;
  await slurm('scancel', known).catch((error: unknown) => {
    if (!/invalid job id|already complet/iu.test(messageOf(error))) throw error;
  });
}

/** Ends a job and puts it back into the queue. */
export async function requeueJob(job: string): Promise<void> {
  await slurm('scontrol', ['requeue', job]);
}

/** The job that this process runs in; undefined outside of one. */
export function jobHere(
  environment: NodeJS.ProcessEnv,
): { readonly job: string; readonly restarts: number } | undefined {
  const { SLURM_JOB_ID: id, SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: task } = environment;
  // One task of an array has the number of the whole array as its own.
  const job = array !== undefined && task !== undefined ? `${array}_${task}` : id;
  if (job === undefined || !isSlurmJob(job)) return undefined;
  const restarts = Number(environment['SLURM_RESTART_COUNT'] ?? 0);
  return { job, restarts: Number.isSafeInteger(restarts) && restarts >= 0 ? restarts : 0 };
}

const longestAnswer = 256 * 1024 * 1024;

/** Runs a command of Slurm. Throws a user error where it is not there, or with what it says where it fails. */
function slurm(
  command: string,
  args: readonly string[],
  { input = '', more = {} }: { readonly input?: string; readonly more?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { encoding: 'utf8', maxBuffer: longestAnswer, env: { ...process.env, ...more } } as const;
    const child = execFile(command, [...args], options, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if (codeOf(error) === 'ENOENT')
        reject(userError(`There is no ${command} here: run this on a machine where Slurm’s commands are.`, error));
      else {
        const said = stderr.trim() || stdout.trim() || messageOf(error);
        reject(userError(`${command} failed: ${said.replace(/\s*\n\s*/gu, ' ')}`, error));
      }
    });
    // A command that does not read what it is given says why itself.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
