import * as l10n from '@vscode/l10n';
import type { JobStanding } from '../../protocol/trainingPanel.ts';
import type { StoredRun } from '../../runs/list.ts';
import { type DerivedRunState, isUnfollowed } from '../../runs/state.ts';
import { hostOf, isAway } from '../trainer/elsewhere.ts';

const words: Readonly<Record<DerivedRunState, string>> = {
  preparing: l10n.t('preparing'),
  running: l10n.t('running'),
  paused: l10n.t('paused'),
  stopping: l10n.t('stopping'),
  finished: l10n.t('finished'),
  stopped: l10n.t('stopped'),
  failed: l10n.t('failed'),
  queued: l10n.t('queued'),
  'broken off': l10n.t('interrupted'),
};

const jobWords: Readonly<Record<JobStanding, string>> = {
  queued: l10n.t('queued'),
  requeued: l10n.t('requeued'),
  lost: l10n.t('lost'),
  unfollowed: l10n.t('not followed'),
};

/** What is known of a run's job that does not train it now. */
export function jobStanding(run: Pick<StoredRun, 'state' | 'job'>): JobStanding | undefined {
  const { state, job } = run;
  if (isUnfollowed(run)) return 'unfollowed';
  if (state === 'queued') return (job?.requeues ?? 0) > 0 ? 'requeued' : 'queued';
  return state === 'broken off' && job !== undefined ? 'lost' : undefined;
}

/** What people read for a state. */
export function stateWord(state: DerivedRunState): string {
  return words[state];
}

/** What people read for the state of a run, with what is known of its job and where it trains: `requeued`, `running on node7`. */
export function standingWord(run: Pick<StoredRun, 'state' | 'record' | 'job'>): string {
  const { state, record } = run;
  const standing = jobStanding(run);
  if (standing !== undefined) return jobWords[standing];
  const word = stateWord(state);
  if (state !== record.state || !isAway(run)) return word;
  const host = hostOf(run);
  return host === undefined ? l10n.t('{0} · elsewhere', word) : l10n.t('{0} on {1}', word, host);
}
