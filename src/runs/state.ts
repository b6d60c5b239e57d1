import type { RunRecord } from '../protocol/runRecord.ts';
import type { RunState } from '../protocol/trainingEvents.ts';
import { ownerState } from './owner.ts';

const liveStates: ReadonlySet<RunState> = new Set(['preparing', 'running', 'paused', 'stopping']);

/** What has become of a run: its recorded state, or `broken off` where that is a live one and its process is gone. */
export type DerivedRunState = RunState | 'broken off';

export function stateOf(record: RunRecord): DerivedRunState {
  if (!liveStates.has(record.state)) return record.state;
  return record.process !== undefined && ownerState(record.process) !== 'gone' ? record.state : 'broken off';
}

export function isLive(state: DerivedRunState): boolean {
  return state !== 'broken off' && liveStates.has(state);
}
