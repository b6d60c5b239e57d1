import * as l10n from '@vscode/l10n';
import type { RunRecord } from '../../protocol/runRecord.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isElsewhere } from '../../runs/owner.ts';
import { isLive, isOver } from '../../runs/state.ts';

/** Whether a live run trains where this machine reaches no process. */
export function trainsElsewhere({ state, process: owner }: Pick<RunRecord, 'state' | 'process'>): boolean {
  return owner !== undefined && isLive(state) && isElsewhere(owner);
}

/** Whether a live run trains on another machine, by its process, or by its folder being the copy of one that somebody follows. */
export function isAway({ state, record, job }: Pick<StoredRun, 'state' | 'record' | 'job'>): boolean {
  return isLive(state) && (trainsElsewhere(record) || (job?.scheduler === 'ssh' && record.process === undefined));
}

/** The machine of a run that is away, if it is known. */
export function hostOf({ record, job }: Pick<StoredRun, 'record' | 'job'>): string | undefined {
  return record.process === undefined ? job?.host : record.process.host;
}

/** Whether a run trains on this machine, which it then shares with others. */
export function trainsHere(run: Pick<StoredRun, 'state' | 'record' | 'job'>): boolean {
  return isLive(run.state) && !isAway(run);
}

/** Whether a run trains, or may go on without anybody here: one that was lost elsewhere may live, or its job begin anew. */
export function mayGoOn({ state, record, job }: Pick<StoredRun, 'state' | 'record' | 'job'>): boolean {
  return !isOver(state) || (state === 'broken off' && (job !== undefined || trainsElsewhere(record)));
}

/**
 * How a run can be asked to stop, pause and resume: `here`, as its process is on this machine; by its `folder`, which whoever
 * trains it looks at; or by nothing, as it does not train.
 */
export type Reach = 'here' | 'folder' | 'none';

/** How a run can be asked. Undefined where only its own machine can: `elsewhereRefusal` says so. */
export function reachOf(run: Pick<StoredRun, 'state' | 'record' | 'job'>): Reach | undefined {
  const { state, record } = run;
  if (state === 'queued') return 'folder';
  if (!isLive(state)) return 'none';
  if (!isAway(run)) return 'here';
  return record.heedsControl === true ? 'folder' : undefined;
}

/** Why a live run can only be looked at, as a sentence: it trains elsewhere, and does not look for what its folder asks. Undefined if not. */
export function elsewhereRefusal(record: RunRecord): string | undefined {
  if (!trainsElsewhere(record) || record.heedsControl === true) return undefined;
  const { name, process: owner } = record;
  const title = runTitle(name);
  return owner?.host === undefined
    ? l10n.t('{0} trains on another machine or in another container: pause or stop it there.', title)
    : l10n.t('{0} trains on another machine or in another container ({1}): pause or stop it there.', title, owner.host);
}
