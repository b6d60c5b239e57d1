import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cancelled, messageOf, UserError } from '../../protocol/errors.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { requestControl } from '../../runs/control.ts';
import { hasRecord, readStoredRun, type StoredRun } from '../../runs/list.ts';
import { isLocked } from '../../runs/lock.ts';
import { isLive } from '../../runs/state.ts';
import { stopIsRequested } from '../../runs/sweep.ts';
import { writeStopped } from './queueRuns.ts';
import type { AwaitedRun, JobRun, RunFailure, RunTrainer, SubmitTarget, TrainerOptions } from './target.ts';

/** How often, in milliseconds, the folders of runs are looked at, and the scheduler is asked about those that do not say. */
export interface JobPatience {
  readonly look: number;
  readonly ask: number;
}
const usualPatience: JobPatience = { look: 1000, ask: 10_000 };

/** Runs at the same time where nobody says how many: few enough to learn from those before. */
const usualPlaces = 4;

/**
 * Trains runs as jobs of a scheduler that shares the disk, one job for each, for a process that waits for them by their
 * folders. A job that is there from before is waited for. Where the sweep `shared` is asked to stop, its runs are; where its
 * process is to end alone, by Ctrl-C, the jobs are left to go on.
 */
export function openJobTrainer(
  target: Pick<SubmitTarget, 'submit' | 'explain' | 'cancel'>,
  place: string | undefined,
  { say, shared, options, command }: TrainerOptions,
  patience = usualPatience,
): RunTrainer {
  const explain = oneAtATime(target.explain, patience.ask);
  const looks = { explain, patience };
  // The data is looked at before each is handed over.
  let queue: Promise<unknown> = Promise.resolve();
  const submit = ({ config, folder, resumes, untilEpoch }: AwaitedRun, signal: AbortSignal): Promise<unknown> => {
    const until = untilEpoch === undefined ? {} : { untilEpoch };
    const handOver = async () => {
      if (signal.aborted) throw cancelled();
      const wanted = resumes
        ? { config: (await readStoredRun(folder)).record.config, resume: folder }
        : { config, name: basename(folder) };
      await target.submit({
        ...{ runs: [wanted], out: dirname(folder), command, place, signal, say },
        ...(shared === undefined ? {} : { trial: { sweep: shared, ...until } }),
        // Each is handed over alone.
        options: { ...options, parallel: undefined },
        onProgress: () => undefined,
      });
    };
    const turn = queue.then(handOver);
    queue = turn.catch(() => undefined);
    return turn;
  };
  return {
    places: usualPlaces,
    train: async (run, signal) => {
      const { folder } = run;
      let isOurs = false;
      try {
        for (;;) {
          const resumes = await hasRecord(folder);
          if (isOurs || !resumes || !(await isThere(await readStoredRun(folder), explain))) {
            await submit({ ...run, resumes }, signal);
            isOurs = true;
          }
          const { run: stored, lost } = await ended(folder, looks, signal);
          // One from before that was lost is handed over once more.
          if (lost === undefined || isOurs) return failureOf(stored, lost);
          isOurs = true;
        }
      } catch (error) {
        // A wrong setting is the run's own; what else is refused would be of every run.
        if (error instanceof UserError && error.kind === 'usage') return { reason: error.message, cause: 'settings' };
        if (signal.aborted && shared !== undefined && stopIsRequested(shared) && (await hasRecord(folder)))
          await stopRun(folder, target, looks).catch((failure: unknown) => {
            say(`${basename(folder)} could not be stopped: ${messageOf(failure)}`);
          });
        throw error;
      }
    },
    finish: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** Has a run stop, or leave the queue, and waits until it has. */
async function stopRun(folder: string, target: Pick<SubmitTarget, 'cancel'>, looks: Looks): Promise<void> {
  const run = await readStoredRun(folder);
  if (isLive(run.state)) await requestControl(folder, 'stop');
  else if (isOpen(run) && hasJob(run)) {
    await target.cancel([run]);
    await writeStopped(folder);
  }
  await ended(folder, looks);
}

/** Resolves with why a run is lost whose folder does not say what becomes of it; undefined while its job may be there. */
type Explain = (run: JobRun) => Promise<string | undefined>;

async function isThere(run: StoredRun, explain: Explain): Promise<boolean> {
  if (isLive(run.state)) return true;
  return isOpen(run) && hasJob(run) && (await explain(run)) === undefined;
}

interface Looks {
  readonly explain: Explain;
  readonly patience: JobPatience;
}

/** A run once it has ended, or was lost. */
async function ended(
  folder: string,
  { explain, patience }: Looks,
  signal?: AbortSignal,
): Promise<{ run: StoredRun; lost?: string }> {
  let lost: string | undefined;
  let asked = performance.now();
  for (;;) {
    const run = await readStoredRun(folder);
    // The record says so a moment before the job lets go of the folder, in which the next one trains.
    const isOver = !isLive(run.state) && !isOpen(run);
    if (isOver && !isLocked(join(folder, runFiles.lock))) return { run };
    if (isOver || isLive(run.state)) lost = undefined;
    else if (!hasJob(run)) return { run, lost: 'nothing trains it' };
    else if (performance.now() - asked >= patience.ask) {
      const why = await explain(run);
      asked = performance.now();
      // Said twice: a folder on another machine may be read a moment before it says how the run ended.
      if (why !== undefined && lost !== undefined) return { run: await readStoredRun(folder), lost: why };
      lost = why;
    }
    await delay(patience.look, undefined, signal ? { signal } : {}).catch(() => undefined);
    if (signal?.aborted) throw cancelled();
  }
}

function hasJob(run: StoredRun): run is JobRun {
  return run.job !== undefined;
}

/** Whether the folder does not say what becomes of the run: its job waits, or was lost. */
function isOpen({ state }: StoredRun): boolean {
  return state === 'queued' || state === 'broken off';
}

function failureOf({ state, record, folder }: StoredRun, lost: string | undefined): RunFailure | undefined {
  if (state === 'failed') return { reason: record.reason ?? `its run ${basename(folder)} failed.` };
  if (state === 'finished' || state === 'stopped') return undefined;
  return { reason: `its run ${basename(folder)} was lost: ${lost ?? 'nobody knows why'}.`, cause: 'passing' };
}

/** Asks the scheduler; questions that come together are one. Where it cannot be asked, the job may be there. */
function oneAtATime(explain: SubmitTarget['explain'], window: number): Explain {
  let waiting: JobRun[] = [];
  let answer: ReturnType<typeof ask> | undefined;
  const ask = async () => {
    await delay(Math.min(window, 500));
    const runs = waiting;
    [waiting, answer] = [[], undefined];
    return explain(runs).catch((error: unknown) => {
      if (error instanceof UserError) return undefined;
      throw error;
    });
  };
  return async (run) => {
    waiting.push(run);
    answer ??= ask();
    const explanation = (await answer)?.get(run.folder);
    return explanation === undefined || explanation.isThere ? undefined : explanation.sentence;
  };
}
