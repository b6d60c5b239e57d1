import { uptime } from 'node:os';
import type { RunRecord } from '../../protocol/runRecord.ts';
import type { RunState } from '../../protocol/trainingEvents.ts';

const liveStates: ReadonlySet<RunState> = new Set(['preparing', 'running', 'paused', 'stopping']);

/** What has become of a run: its recorded state, or `broken off` where that is a live one and its process is gone. */
export type DerivedRunState = RunState | 'broken off';

export function stateOf(record: RunRecord): DerivedRunState {
  if (!liveStates.has(record.state)) return record.state;
  return record.process !== undefined && processLives(record.process) ? record.state : 'broken off';
}

export function isLive(state: DerivedRunState): boolean {
  return state !== 'broken off' && liveStates.has(state);
}

/** Whether the process that a record names is still there, as far as this machine can tell. */
function processLives({ pid, started }: NonNullable<RunRecord['process']>): boolean {
  // A number from before the last start of the machine may belong to somebody else by now.
  const machineStarted = Date.now() - uptime() * 1000;
  if (Date.parse(started) < machineStarted - 60_000) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
