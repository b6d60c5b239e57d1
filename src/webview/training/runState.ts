import * as l10n from '@vscode/l10n';
import type { RunRecord } from '../../protocol/runRecord.ts';
import type { RunState } from '../../protocol/trainingEvents.ts';
import { trainsWithoutWeights } from '../../protocol/weightsAdvice.ts';
import type { JobStanding, RunAction, RunRequest, ShownRun } from '../../protocol/trainingPanel.ts';

/** What is needed to say what a run does and what can be done with it. */
export type RunStanding = Pick<ShownRun, 'brokenOff' | 'asked' | 'usable' | 'job' | 'away'> & {
  record: Pick<RunRecord, 'state' | 'missing'> & { config: Pick<RunRecord['config'], 'network'> };
};
/** A button for a run; a disabled one says what is being done already. */
export type OfferedAction = { action: RunAction; disabled?: boolean };

/** What is said of a run: its state, or what it was asked for. */
export type ShownState = RunState | JobStanding | 'interrupted' | 'pausing' | 'resuming';

const stateWords: Record<ShownState, string> = {
  preparing: l10n.t('Preparing'),
  running: l10n.t('Running'),
  paused: l10n.t('Paused'),
  stopping: l10n.t('Stopping…'),
  pausing: l10n.t('Pausing…'),
  resuming: l10n.t('Resuming…'),
  finished: l10n.t('Finished'),
  stopped: l10n.t('Stopped'),
  failed: l10n.t('Failed'),
  interrupted: l10n.t('Interrupted'),
  queued: l10n.t('Queued'),
  requeued: l10n.t('Requeued'),
  lost: l10n.t('Lost'),
  unfollowed: l10n.t('Not followed'),
};
const askedStates: Record<RunRequest, ShownState> = { stop: 'stopping', pause: 'pausing', resume: 'resuming' };

/** What is said of a run; what it was asked for counts before what it does. */
export function shownState({
  record,
  brokenOff,
  asked,
  job,
}: Pick<RunStanding, 'record' | 'brokenOff' | 'asked' | 'job'>): ShownState {
  if (asked !== undefined) return askedStates[asked];
  return job ?? (brokenOff ? 'interrupted' : record.state);
}

/** The same in words, with where it trains. */
export function stateWord(run: Pick<RunStanding, 'record' | 'brokenOff' | 'asked' | 'job' | 'away'>): string {
  const word = stateWords[shownState(run)];
  const { host } = run.away ?? {};
  return host === undefined ? word : l10n.t('{0} on {1}', word, host);
}

/** Whether a process works on the run now. */
export function isLive({ record, brokenOff, job }: Pick<RunStanding, 'record' | 'brokenOff' | 'job'>): boolean {
  return !brokenOff && job === undefined && ['preparing', 'running', 'paused', 'stopping'].includes(record.state);
}

/** What can be done with a run now: nothing that cannot work. */
export function offeredActions(run: RunStanding): OfferedAction[] {
  const { record, asked, usable } = run;
  if (isLive(run)) return liveActions(record.state, asked, run.away !== undefined);
  const isUnfollowed = run.job === 'unfollowed';
  const waits = run.job === 'queued' || run.job === 'requeued' || isUnfollowed;
  const canResume = record.state !== 'finished' && !waits;
  const lacksWeights = record.state === 'failed' && record.missing === 'weights';
  return [
    ...(isUnfollowed ? [{ action: 'follow' as const }] : []),
    ...(waits ? [{ action: 'stop' as const, disabled: asked === 'stop' }] : []),
    ...(canResume ? [{ action: 'resume' as const, disabled: asked === 'resume' }] : []),
    ...(lacksWeights ? (['openWeightsFolder', 'setMirror'] as const).map((action) => ({ action })) : []),
    ...(lacksWeights && trainsWithoutWeights(record.config.network)
      ? [{ action: 'trainWithoutWeights' as const }]
      : []),
    ...(usable ? (['test', 'classify', 'exportModel'] as const).map((action) => ({ action })) : []),
    { action: 'trainAgain' },
  ];
}

/** A process of another machine cannot be ended in the middle of its step. */
function liveActions(state: RunState, asked: RunRequest | undefined, isAway: boolean): OfferedAction[] {
  const isStopping = asked === 'stop' || state === 'stopping';
  const first = state === 'paused' ? 'resume' : 'pause';
  const stop: OfferedAction = isAway
    ? { action: 'stop', disabled: isStopping }
    : { action: isStopping ? 'stopNow' : 'stop' };
  return state === 'preparing' ? [stop] : [{ action: first, disabled: isStopping || asked !== undefined }, stop];
}
