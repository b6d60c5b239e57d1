import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cancelled, CancelledError, messageOf, userError } from '../../protocol/errors.ts';
import { type Job, nextJob, rungsOf } from '../../protocol/halving.ts';
import { plural } from '../../protocol/plural.ts';
import type { RunRecord } from '../../protocol/runRecord.ts';
import {
  type FailureCause,
  failuresToRetry,
  type Halving,
  type Sweep,
  sweepFiles,
  type TrialEvent,
} from '../../protocol/sweep.ts';
import { standingOf } from '../../protocol/sweepStandings.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { hasRecord, readStoredRun } from '../../runs/list.ts';
import { tryLock } from '../../runs/lock.ts';
import { checkRunName } from '../../runs/name.ts';
import {
  forgetStop,
  openTrialLog,
  readTrialEvents,
  stopIsRequested,
  type TrialLog,
  type UntimedTrialEvent,
} from '../../runs/sweep.ts';
import type { AwaitedRun, RunFailure } from '../submit/target.ts';

/** A trial that is to be run: its settings, checked, or why they cannot be. */
export type PlannedTrial = GivenConfig | { readonly problem: string };

/** Chooses the settings of a trial by how those before it did, when it is to begin. */
export interface LearningSampler {
  /** Trials in all. */
  readonly trials: number;
  /** Most epochs of a trial. */
  readonly epochs: number;
  /** A trial whose settings were chosen before. */
  readonly known: (trial: number) => PlannedTrial | undefined;
  /** Of such a one, the settings that differ between trials. */
  readonly drawn: (trial: number) => Sweep['trials'][number] | undefined;
  /** Takes in what happened, and chooses the settings of a trial, if that was not done before. Throws a user error where it cannot. */
  readonly choose: (trial: number, events: readonly TrialEvent[]) => Promise<void>;
  /** Takes in how the last trials did. */
  readonly finish: (events: readonly TrialEvent[]) => Promise<void>;
}

/** The run of a trial that is to be trained, from its beginning or from where it is. */
export interface TrialTraining extends AwaitedRun {
  /** Folder of the sweep, beside which that of the run lies. */
  readonly sweep: string;
}

/** What a sweep has done for it, and who hears of that. */
export interface SweepWorkers {
  /**
   * Trains the run of a trial, on one of the plan's cards where it has some, and resolves with why not where it failed.
   * Rejects with a `CancelledError` where it was stopped.
   */
  readonly train: (training: TrialTraining, signal: AbortSignal, card?: string) => Promise<RunFailure | undefined>;
  readonly say: (line: string) => void;
  readonly heard: (event: TrialEvent) => void;
  readonly signal: AbortSignal;
}

export interface SweepPlan {
  /** Absolute; it holds `sweep.json`, and the runs lie beside it. */
  readonly folder: string;
  readonly name: string;
  /** In the order of their numbers, which begin with 1; none where there is a sampler that chooses them later. */
  readonly trials: readonly PlannedTrial[];
  readonly sampler?: LearningSampler;
  readonly halving?: Halving;
  readonly parallel: number;
  /** Graphics cards by the names that CUDA knows them by, as many as trials train at the same time, or more: one for each. */
  readonly cards?: readonly string[];
  /** Whether trials that failed are tried again, except for reasons that last; otherwise only those that failed in passing. */
  readonly retriesFailed?: boolean;
}

/** Milliseconds between two looks whether somebody asked the sweep to end. */
const stopPoll = 1000;

/**
 * Runs the trials of a sweep, `parallel` at a time, until none is left to train. What an earlier start did is not done
 * again: a trial that was broken off goes on from its last checkpoint. Features of frozen layers are shared between the
 * trials. Throws a user error where another process runs the sweep, and a `CancelledError` where it is stopped.
 */
export async function runSweep(plan: SweepPlan, workers: SweepWorkers): Promise<void> {
  const lock = await tryLock(join(plan.folder, sweepFiles.lock));
  if (!lock) throw userError(`Another process runs the sweep ${plan.name}: wait for it, or stop it.`);
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  workers.signal.addEventListener('abort', stop);
  if (workers.signal.aborted) stop();
  let poll: NodeJS.Timeout | undefined;
  try {
    await forgetStop(plan.folder);
    poll = setInterval(() => {
      if (stopIsRequested(plan.folder)) stop();
    }, stopPoll);
    const log = await openTrialLog(plan.folder);
    await runTrials(plan, workers, log, stopping.signal).finally(log.close);
    await rm(join(plan.folder, sweepFiles.features), { recursive: true, force: true });
  } finally {
    clearInterval(poll);
    workers.signal.removeEventListener('abort', stop);
    await forgetStop(plan.folder).finally(lock.release);
  }
}

async function runTrials(plan: SweepPlan, workers: SweepWorkers, log: TrialLog, signal: AbortSignal): Promise<void> {
  await tryAgain(plan, log, workers.say);
  const events = await readTrialEvents(plan.folder);
  const rungs = rungsIn(plan);
  const running = new Map<string, Promise<void>>();
  const jobs: Job[] = [];
  const freeCards = [...(plan.cards ?? [])];
  const note = async (event: Parameters<TrialLog['add']>[0]) => {
    const noted = await log.add(event);
    events.push(noted);
    workers.heard(noted);
  };
  let failure: Error | undefined;
  const begin = (job: Job) => {
    const key = `${job.trial} ${job.rung}`;
    jobs.push(job);
    const card = freeCards.shift();
    const work = runJob(plan, job, events, note, onCard(workers, card), signal)
      .catch((error: unknown) => {
        if (failure === undefined && running.size > 1 && !(error instanceof CancelledError))
          workers.say(`${messageOf(error)} The sweep ends when the trials that are training have.`);
        failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        jobs.splice(jobs.indexOf(job), 1);
        running.delete(key);
        if (card !== undefined) freeCards.push(card);
      });
    running.set(key, work);
  };
  for (;;) {
    while (running.size < plan.parallel && failure === undefined && !signal.aborted) {
      const job = nextJob(standingOf(trialsIn(plan), events), rungs.length, plan.halving?.factor ?? 2, jobs);
      if (!job) break;
      begin(job);
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (failure !== undefined) throw failure;
  if (signal.aborted) throw cancelled();
  await plan.sampler?.finish(events);
}

/** Notes that trials which failed are begun once more, as the plan has it. */
async function tryAgain(
  { folder, retriesFailed = false }: Pick<SweepPlan, 'folder' | 'retriesFailed'>,
  log: TrialLog,
  say: (line: string) => void,
): Promise<void> {
  const again = await begunAgain(folder, retriesFailed);
  for (const event of again) await log.add(event);
  if (again.length > 0) say(`${plural(again.length, 'trial')} that failed: trained once more.`);
}

/** The events by which trials that failed are begun once more. */
export async function begunAgain(folder: string, retriesFailed: boolean): Promise<readonly UntimedTrialEvent[]> {
  const events = await readTrialEvents(folder);
  const runs = new Map(events.flatMap((event) => (event.event === 'begun' ? [[event.trial, event.run] as const] : [])));
  return failuresToRetry(events, retriesFailed).flatMap(({ trial, rung }) => {
    const run = runs.get(trial);
    return run === undefined ? [] : [{ event: 'begun' as const, trial, rung, run }];
  });
}

/** Trials of a sweep in all. */
export function trialsIn({ trials, sampler }: Pick<SweepPlan, 'trials' | 'sampler'>): number {
  return sampler?.trials ?? trials.length;
}

/** A trial, where its settings are known. */
function trialOf({ trials, sampler }: SweepPlan, trial: number): PlannedTrial | undefined {
  return sampler ? sampler.known(trial) : trials[trial - 1];
}

/** Workers that train on a card. */
function onCard(workers: SweepWorkers, card: string | undefined): SweepWorkers {
  if (card === undefined) return workers;
  return { ...workers, train: (training, signal) => workers.train(training, signal, card) };
}

/** The numbers of epochs after which trials are compared, the same for all trials of a sweep that halves. */
export function rungsIn({ trials, sampler, halving }: Pick<SweepPlan, 'trials' | 'sampler' | 'halving'>): number[] {
  const most = Math.max(...trials.map((trial) => ('problem' in trial ? 0 : trial.epochs)), 1);
  return rungsOf(halving, sampler?.epochs ?? most);
}

/** Epochs that a job trains its trial to. */
export function epochsOf(plan: SweepPlan, { trial, rung }: Job): number {
  const config = trialOf(plan, trial);
  const all = config && !('problem' in config) ? config.epochs : 0;
  return plan.halving ? (rungsIn(plan)[rung] ?? all) : all;
}

/** Name of a trial's run, whose folder lies beside the sweep's. */
export function runOfTrial(plan: Pick<SweepPlan, 'name' | 'trials' | 'sampler'>, trial: number): string {
  return `${plan.name}-${String(trial).padStart(String(trialsIn(plan)).length, '0')}`;
}

async function runJob(
  plan: SweepPlan,
  job: Job,
  events: readonly TrialEvent[],
  note: (event: Parameters<TrialLog['add']>[0]) => Promise<void>,
  workers: SweepWorkers,
  signal: AbortSignal,
): Promise<void> {
  const { folder } = plan;
  const { trial, rung } = job;
  const begun = events.filter((event) => event.event === 'begun').filter((event) => event.trial === trial);
  // The sweep may have another name by now.
  const run = begun[0]?.run ?? runOfTrial(plan, trial);
  checkRunName(run);
  const runFolder = join(dirname(folder), run);
  const isTaken = begun.length === 0 && existsSync(runFolder);
  if (signal.aborted) throw cancelled();
  await plan.sampler?.choose(trial, events);
  if (!begun.some((event) => event.rung === rung)) await note({ event: 'begun', trial, rung, run });
  if (isTaken) {
    await note({ event: 'failed', trial, rung, reason: wasThere(runFolder), cause: 'place' });
    return;
  }
  const config = trialOf(plan, trial);
  if (!config || 'problem' in config) {
    const reason = config?.problem ?? 'there is no such trial';
    await note({ event: 'failed', trial, rung, reason, cause: 'settings' });
    return;
  }
  const failure = await trainTo(epochsOf(plan, job), config, { sweep: folder, folder: runFolder }, workers, signal);
  if (failure === undefined) await note(endOfTrial(job, (await readStoredRun(runFolder)).record));
  else await note(await failureOfTrial(job, runFolder, failure));
}

/** Why a trial fails in whose place a run was. */
export function wasThere(runFolder: string): string {
  return `${runFolder} was there before the trial began.`;
}

/** That a trial failed, and what its run says of the cause where nothing else does. */
export async function failureOfTrial(
  { trial, rung }: Job,
  runFolder: string,
  { reason, cause }: RunFailure,
): Promise<UntimedTrialEvent> {
  const known = cause ?? (await causeIn(runFolder));
  return { event: 'failed', trial, rung, reason, ...(known === undefined ? {} : { cause: known }) };
}

async function causeIn(runFolder: string): Promise<FailureCause | undefined> {
  if (!(await hasRecord(runFolder))) return undefined;
  const { state, record } = await readStoredRun(runFolder);
  // Its process is gone without a word: it was killed, or the disk took none.
  if (state === 'broken off') return 'passing';
  return record.failedBy === 'disk' ? 'passing' : record.failedBy;
}

/** What a trial's run has come to, whose epochs are done. */
export function endOfTrial({ trial, rung }: Job, { best, progress }: RunRecord): UntimedTrialEvent {
  // Fewer where the run stopped early.
  const epochs = Math.floor(progress?.epoch ?? 0);
  if (!best) return { event: 'failed', trial, rung, reason: 'its run was never validated.' };
  return { event: 'reached', trial, rung, epochs, accuracy: best.validAccuracy, loss: best.validLoss };
}

/** Trains the run of a trial until so many epochs are done; resolves with why not where it failed. */
async function trainTo(
  epochs: number,
  config: GivenConfig,
  place: Pick<TrialTraining, 'sweep' | 'folder'>,
  workers: SweepWorkers,
  signal: AbortSignal,
): Promise<RunFailure | undefined> {
  const { folder } = place;
  const resumes = await hasRecord(folder);
  // One that was stopped may lack the validation of its last epoch, which its training makes up for.
  if (resumes && (await readStoredRun(folder)).state === 'finished') return undefined;
  if (signal.aborted) throw cancelled();
  const until = epochs < config.epochs ? { untilEpoch: epochs } : {};
  const failure = await workers.train({ ...place, config, resumes, ...until }, signal);
  if (failure !== undefined) return failure;
  if (await isDone(folder, epochs)) return undefined;
  return { reason: `its run ${basename(folder)} ended before ${plural(epochs, 'epoch')}.` };
}

async function isDone(runFolder: string, epochs: number): Promise<boolean> {
  if (!(await hasRecord(runFolder))) return false;
  const { state, record } = await readStoredRun(runFolder);
  return state === 'finished' || (record.progress?.epoch ?? 0) >= epochs;
}
