import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { nextJob } from '../protocol/halving.ts';
import { type Dimension, parseSweepSpace, type Sweep, sweepFiles, trialCount, type TrialEvent } from '../protocol/sweep.ts';
import { rungsOfSweep, standingOf, type TrialStanding, trialStandings } from '../protocol/sweepStandings.ts';
import { isLocked } from './lock.ts';
import type { DerivedRunState } from './state.ts';
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
  /** Number of events so far, which only grows. */
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
  const events = await readTrialEvents(folder);
  return {
    ...{ folder, record, dimensions, rungs, written },
    ...{ state: stateOfSweep(folder, record, rungs, events), events: events.length, total: trialCount(record) },
    standings: trialStandings(record, events, rungs),
  };
}

async function readRecord(folder: string): Promise<Pick<StoredSweep, 'record' | 'dimensions' | 'rungs'>> {
  const record = await readSweep(folder);
  return { record, dimensions: parseSweepSpace(record.space).dimensions, rungs: rungsOfSweep(record) };
}

function stateOfSweep(
  folder: string,
  record: Sweep,
  rungs: readonly number[],
  events: readonly TrialEvent[],
): SweepState {
  const lock = join(folder, sweepFiles.lock);
  if (isLocked(lock)) return stopIsRequested(folder) ? 'stopping' : 'running';
  const factor = parseSweepSpace(record.space).halving?.factor ?? 2;
  if (nextJob(standingOf(trialCount(record), events), rungs.length, factor, []) === undefined) return 'finished';
  return existsSync(lock) ? 'broken off' : 'stopped';
}

/** Whether a process works at a sweep. */
export function isSweepLive(state: SweepState): boolean {
  return state === 'running' || state === 'stopping';
}
