import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { userError } from '../../protocol/errors.ts';
import { type FailureCause, sweepFiles } from '../../protocol/sweep.ts';
import type { TrialStanding } from '../../protocol/sweepStandings.ts';
import { hasRecord, readStoredRun, type StoredRun } from '../../runs/list.ts';
import { tryLock, withFileLock } from '../../runs/lock.ts';
import { isLive, stateWithPlace } from '../../runs/state.ts';
import { openTrialLog, readSweep, readTrialEvents, type UntimedTrialEvent } from '../../runs/sweep.ts';
import type { RunFailure, WantedRun } from '../submit/target.ts';
import type { OptionValues } from './configFlags.ts';
import type { Output } from './output.ts';
import { begunAgain, endOfTrial, failureOfTrial, runOfTrial, type SweepPlan, wasThere } from './runSweep.ts';
import { type ChosenTarget, explained, handOver } from './submitTargets.ts';

/** A sweep whose trials are jobs: how many train at once is the scheduler's. */
type PlanOfJobs = Omit<SweepPlan, 'parallel'>;

/**
 * Hands the trials of a sweep that are not done to a target, each as a run that trains to its end. Those that have a job are
 * left to it, and those that failed in passing are handed over again. Throws a user error where a process runs the sweep.
 */
export async function submitTrials(
  plan: PlanOfJobs,
  chosen: ChosenTarget,
  options: OptionValues,
  output: Output,
): Promise<void> {
  const { folder, name } = plan;
  const lock = await tryLock(join(folder, sweepFiles.lock));
  if (!lock) throw userError(`Another process runs the sweep ${name}: wait for it, or stop it.`);
  try {
    const open = await openTrials(plan);
    if (open.length === 0) {
      output.say('No trial is left to submit.');
      return;
    }
    // One trial that is left is no array, of which several could train at once.
    const own = open.length === 1 ? { ...options, parallel: undefined } : options;
    await handOver(chosen, open, dirname(folder), own, output, { sweep: folder });
  } finally {
    await lock.release();
  }
}

/** The trials that nobody trains and that are not done, noted as begun. Notes what is known of the others by now. */
async function openTrials(plan: PlanOfJobs): Promise<readonly WantedRun[]> {
  const { folder } = plan;
  await note(folder, await begunAgain(folder, plan.retriesFailed === true));
  const events = await readTrialEvents(folder);
  const ended = new Set(events.flatMap(({ event, trial }) => (event === 'begun' ? [] : [trial])));
  const runs = new Map(events.flatMap((event) => (event.event === 'begun' ? [[event.trial, event.run] as const] : [])));
  const open: WantedRun[] = [];
  const there: { readonly trial: number; readonly stored: StoredRun }[] = [];
  const news: UntimedTrialEvent[] = [];
  for (const [index, config] of plan.trials.entries()) {
    const trial = index + 1;
    const run = runs.get(trial) ?? runOfTrial(plan, trial);
    const runFolder = join(dirname(folder), run);
    const failed = (reason: string, cause: FailureCause) =>
      news.push({ event: 'failed', trial, rung: 0, reason, cause });
    if (ended.has(trial)) continue;
    if (!runs.has(trial)) news.push({ event: 'begun', trial, rung: 0, run });
    if ('problem' in config) failed(config.problem, 'settings');
    else if (!existsSync(runFolder)) open.push({ config, name: run });
    else if (!runs.has(trial)) failed(wasThere(runFolder), 'place');
    else if (await hasRecord(runFolder)) there.push({ trial, stored: await readStoredRun(runFolder) });
    else failed(`${runFolder} is not the folder of a run.`, 'place');
  }
  const known = await explained(there.map(({ stored }) => stored));
  for (const { trial, stored } of there) {
    const { folder: resume, state, record } = stored;
    if (state === 'finished') news.push(endOfTrial({ trial, rung: 0 }, record));
    else if (!isLive(state) && known.get(resume)?.isThere !== true) open.push({ config: record.config, resume });
  }
  await note(folder, news);
  return open;
}

async function note(folder: string, events: readonly UntimedTrialEvent[]): Promise<void> {
  const log = await openTrialLog(folder);
  try {
    for (const event of events) await log.add(event);
  } finally {
    await log.close();
  }
}

/** Notes in the sweep in `folder` how the run of a trial ended, which a job has trained. `failure` says why it failed. */
export async function noteTrialEnd(folder: string, runFolder: string, failure?: RunFailure): Promise<void> {
  const sweep = await readSweep(folder);
  await withFileLock(join(folder, sweepFiles.lock), async () => {
    const events = await readTrialEvents(folder);
    const begun = events.find((event) => event.event === 'begun' && event.run === basename(runFolder));
    if (!begun) return;
    const job = { trial: begun.trial, rung: 0 };
    const { record } = await readStoredRun(runFolder);
    await note(folder, [
      failure === undefined ? endOfTrial(job, record) : await failureOfTrial(job, runFolder, failure),
    ]);
    const ended = new Set([begun, ...events.filter(({ event }) => event !== 'begun')].map(({ trial }) => trial));
    if (ended.size === sweep.trials.length)
      await rm(join(folder, sweepFiles.features), { recursive: true, force: true });
  });
}

/** The folders of a sweep's runs whose jobs wait or train, those first that wait: others would begin in the place of those that end. */
export async function jobsOfSweep(folder: string): Promise<readonly string[]> {
  const runs: StoredRun[] = [];
  const events = await readTrialEvents(folder);
  // A trial is begun on each rung.
  const begun = new Set(events.flatMap((event) => (event.event === 'begun' ? [join(dirname(folder), event.run)] : [])));
  for (const run of begun) {
    if (!(await hasRecord(run))) continue;
    const stored = await readStoredRun(run);
    if (stored.job && (stored.state === 'queued' || isLive(stored.state))) runs.push(stored);
  }
  const waits = ({ state }: StoredRun) => (state === 'queued' ? 0 : 1);
  return runs.sort((a, b) => waits(a) - waits(b)).map((run) => run.folder);
}

/** What becomes of the trials that jobs train, by number: `queued`, `running on node7`, `lost`. */
export async function wordsOfJobs(
  folder: string,
  standings: readonly TrialStanding[],
): Promise<ReadonlyMap<number, string>> {
  const words = new Map<number, string>();
  for (const { trial, state, run } of standings) {
    if (state !== 'begun' || run === undefined) continue;
    const runFolder = join(dirname(folder), run);
    const stored = (await hasRecord(runFolder)) ? await readStoredRun(runFolder) : undefined;
    if (stored?.job) words.set(trial, stateWithPlace(stored));
  }
  return words;
}
