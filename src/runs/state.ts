import { join } from 'node:path';
import type { JobRecord } from '../protocol/jobRecord.ts';
import { plural } from '../protocol/plural.ts';
import { runFiles, type RunRecord } from '../protocol/runRecord.ts';
import type { RunState } from '../protocol/trainingEvents.ts';
import { lastHeard } from './heard.ts';
import { hasJob } from './job.ts';
import { isLocked, lastSignOf, patience } from './lock.ts';
import { isElsewhere, type Owner, ownerState } from './owner.ts';

const liveStates: ReadonlySet<RunState> = new Set(['preparing', 'running', 'paused', 'stopping']);

/**
 * What has become of a run: its recorded state, `queued` where that is a live one and its job has not begun or waits to go
 * on, or `broken off` where its process is gone.
 */
export type DerivedRunState = RunState | 'queued' | 'broken off';

/** The state of the run in `folder`. */
export function stateOf(folder: string, record: RunRecord): DerivedRunState {
  if (!liveStates.has(record.state)) return record.state;
  if (lives(folder, record.process)) return record.state;
  // Whoever puts a job into the queue leaves no process in the record.
  return record.process === undefined && hasJob(folder) ? 'queued' : 'broken off';
}

/**
 * Of a process on another machine, or one that the record does not name, its signs of life in the folder tell: it touches
 * its lock every ten seconds (`lock.ts`), and a minute without that is its end. The clocks of both machines must agree that far.
 */
function lives(folder: string, owner: Owner | undefined): boolean {
  const state = owner === undefined ? 'elsewhere' : ownerState(owner);
  if (state !== 'elsewhere') return state === 'here';
  // A new record is a sign too, but not the one that a job was put into the queue with; then who has the lock may be known.
  if (owner === undefined && hasJob(folder)) return isLocked(join(folder, runFiles.lock));
  const signs = [runFiles.lock, runFiles.record].map((name) => lastSignOf(join(folder, name)) ?? 0);
  return Date.now() - Math.max(...signs) < patience;
}

/**
 * Whether nobody here hears of a run on a machine that shares no disk: it may wait, train or have ended there. It is heard of
 * while somebody follows it.
 */
export function isUnfollowed({ state, job }: { readonly state: DerivedRunState; readonly job?: JobRecord }): boolean {
  return state === 'queued' && job?.scheduler === 'ssh';
}

/** What people read for a state. */
export function stateName(state: DerivedRunState): string {
  return state === 'broken off' ? 'interrupted' : state;
}

/** `stateName`, with what is known of a run's job: `requeued`, `lost`, `running on node7`. */
export function stateWithPlace(run: {
  readonly folder: string;
  readonly state: DerivedRunState;
  readonly record: Pick<RunRecord, 'process' | 'state'>;
  readonly job?: JobRecord;
}): string {
  const { state, record, job } = run;
  if (state === 'queued' && (job?.requeues ?? 0) > 0) return 'requeued';
  if (state === 'broken off' && job !== undefined) return 'lost';
  if (job?.scheduler === 'ssh' && job.host !== undefined) {
    if (isUnfollowed(run)) return notFollowed(run.folder, record.state, job);
    if (isLive(state)) return `${stateName(state)} on ${job.host}`;
  }
  const { process: owner } = record;
  const isAway = isLive(state) && owner?.host !== undefined && isElsewhere(owner);
  return isAway ? `${stateName(state)} on ${owner.host}` : stateName(state);
}

/** `not followed; last heard of far 5 minutes ago: running`. */
function notFollowed(folder: string, state: RunState, job: JobRecord): string {
  const minutes = Math.floor((Date.now() - lastHeard(folder, job)) / 60_000);
  const ago = minutes < 120 ? plural(minutes, 'minute') : plural(Math.floor(minutes / 60), 'hour');
  const when = minutes < 1 ? 'just now' : `${ago} ago`;
  return `not followed; last heard of ${job.host ?? ''} ${when}${state === 'preparing' ? '' : `: ${state}`}`;
}

/** Whether nothing happens to a run any more unless somebody resumes it: a job that waits goes on by itself. */
export function isOver(state: DerivedRunState): boolean {
  return !isLive(state) && state !== 'queued';
}

export function isLive(state: DerivedRunState): boolean {
  return state !== 'broken off' && state !== 'queued' && liveStates.has(state);
}
