import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nextJob } from '../protocol/halving.ts';
import { type Dimension, parseSweepSpace, type Sweep, sweepFiles, trialCount, type TrialEvent } from '../protocol/sweep.ts';
import { rungsOfSweep, standingOf, type TrialStanding, trialStandings } from '../protocol/sweepStandings.ts';
import { hasJob } from './job.ts';
import { readStoredRun } from './list.ts';
import { isLocked } from './lock.ts';
import { type DerivedRunState, isLive } from './state.ts';
import { readSweep, readTrialEvents, stopIsRequested } from './sweep.ts';

/** What has become of a sweep: `broken off` where its process is gone and has not taken note of its end. */
export type SweepState = Extract<DerivedRunState, 'running' | 'stopping' | 'finished' | 'stopped' | 'broken off'>;

/** A sweep on disk. */
export interface StoredSweep {
  /** Absolute. */
  readonly folder: string;
  readonly record: Sweep;
  readonly dimensions: readonly Dimension[];
  readonly rungs: readonly number[];
  readonly state: SweepState;
  /** Bytes that were written of what happened to the trials, which only grow. */
  readonly events: number;
  /** Trials in all, those among them whose settings are not chosen yet. */
  readonly total: number;
  /** Best first; of those whose settings are chosen. */
  readonly standings: readonly TrialStanding[];
  /** When `sweep.json` was written, in milliseconds since 1970. */
  readonly written: number;
}

/**
 * A sweep as it is now. `before` is what was read of it last: its record is not read again where it has not changed.
 * Throws a user error where the folder is none, or not one that this version understands.
 */
export async function readStoredSweep(folder: string, before?: StoredSweep): Promise<StoredSweep> {
  const written = statSync(join(folder, sweepFiles.record), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const known = before?.written === written ? before : await readRecord(folder);
  const { record, dimensions, rungs } = known;
  const bytes = statSync(join(folder, sweepFiles.trials), { throwIfNoEntry: false })?.size ?? 0;
  const events = await readTrialEvents(folder);
  return {
    ...{ folder, record, dimensions, rungs, written },
    ...{ state: await stateOfSweep(folder, record, rungs, events), events: bytes, total: trialCount(record) },
    standings: trialStandings(record, events, rungs),
  };
}

async function readRecord(folder: string): Promise<Pick<StoredSweep, 'record' | 'dimensions' | 'rungs'>> {
  const record = await readSweep(folder);
  return { record, dimensions: parseSweepSpace(record.space).dimensions, rungs: rungsOfSweep(record) };
}

async function stateOfSweep(
  folder: string,
  record: Sweep,
  rungs: readonly number[],
  events: readonly TrialEvent[],
): Promise<SweepState> {
  const lock = join(folder, sweepFiles.lock);
  if (isLocked(lock)) return stopIsRequested(folder) ? 'stopping' : 'running';
  const { halving, sampler } = parseSweepSpace(record.space);
  const next = nextJob(standingOf(trialCount(record), events), rungs.length, halving?.factor ?? 2, []);
  if (next === undefined) return 'finished';
  // Where nothing depends on trials before, jobs get to the end without a process of the sweep's.
  if (!halving && typeof sampler !== 'object' && (await hasJobs(folder, events))) return 'running';
  return existsSync(lock) ? 'broken off' : 'stopped';
}

/** Whether a trial that has begun and not ended has a job, which waits or trains. */
async function hasJobs(folder: string, events: readonly TrialEvent[]): Promise<boolean> {
  const ended = new Set(events.flatMap(({ event, trial }) => (event === 'begun' ? [] : [trial])));
  for (const event of events) {
    if (event.event !== 'begun' || ended.has(event.trial)) continue;
    const run = join(dirname(folder), event.run);
    if (!hasJob(run)) continue;
    const stored = await readStoredRun(run).catch(() => undefined);
    if (stored && (stored.state === 'queued' || isLive(stored.state))) return true;
  }
  return false;
}

/** Trials that failed for reasons that pass: a resume tries them again, also of a sweep that is finished otherwise. */
export function passingFailures({ standings }: Pick<StoredSweep, 'standings'>): number {
  return standings.filter(({ cause }) => cause === 'passing').length;
}

/** Whether a process works at a sweep, or jobs do. */
export function isSweepLive(state: SweepState): boolean {
  return state === 'running' || state === 'stopping';
}
