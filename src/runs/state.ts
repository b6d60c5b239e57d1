import { join } from 'node:path';
import { runFiles, type RunRecord } from '../protocol/runRecord.ts';
import type { RunState } from '../protocol/trainingEvents.ts';
import { lastSignOf, patience } from './lock.ts';
import { type Owner, ownerState } from './owner.ts';

const liveStates: ReadonlySet<RunState> = new Set(['preparing', 'running', 'paused', 'stopping']);

/** What has become of a run: its recorded state, or `broken off` where that is a live one and its process is gone. */
export type DerivedRunState = RunState | 'broken off';

/** The state of the run in `folder`. */
export function stateOf(folder: string, record: RunRecord): DerivedRunState {
  if (!liveStates.has(record.state)) return record.state;
  return lives(folder, record.process) ? record.state : 'broken off';
}

/** Of a process on another machine, or one that the record does not name, its signs of life in the folder tell. */
function lives(folder: string, owner: Owner | undefined): boolean {
  const state = owner === undefined ? 'elsewhere' : ownerState(owner);
  if (state !== 'elsewhere') return state === 'here';
  const signs = [runFiles.lock, runFiles.record].map((name) => lastSignOf(join(folder, name)) ?? 0);
  return Date.now() - Math.max(...signs) < patience;
}

/** What people read for a state. */
export function stateName(state: DerivedRunState): string {
  return state === 'broken off' ? 'interrupted' : state;
}

export function isLive(state: DerivedRunState): boolean {
  return state !== 'broken off' && liveStates.has(state);
}
