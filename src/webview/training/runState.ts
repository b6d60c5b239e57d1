import type { RunState } from '../../protocol/trainingEvents.ts';
import type { RunAction, RunRequest, ShownRun } from '../../protocol/trainingPanel.ts';

/** What is needed to say what a run does and what can be done with it. */
export type RunStanding = Pick<ShownRun, 'brokenOff' | 'asked' | 'usable'> & {
  record: { state: RunState; missing?: 'weights' | undefined };
};
/** A button for a run; a disabled one says what is being done already. */
export type OfferedAction = { action: RunAction; disabled?: boolean };

const stateWords: Record<RunState, string> = {
  preparing: 'Preparing',
  running: 'Running',
  paused: 'Paused',
  stopping: 'Stopping…',
  finished: 'Finished',
  stopped: 'Stopped',
  failed: 'Failed',
};
const askedWords: Record<RunRequest, string> = { stop: 'Stopping…', pause: 'Pausing…', resume: 'Resuming…' };

/** What a run's state is called; what it was asked for counts before what it does. */
export function stateWord({ record, brokenOff, asked }: Pick<RunStanding, 'record' | 'brokenOff' | 'asked'>): string {
  if (asked !== undefined) return askedWords[asked];
  return brokenOff ? 'Interrupted' : stateWords[record.state];
}

/** Whether a process works on the run now. */
export function isLive({ record, brokenOff }: Pick<RunStanding, 'record' | 'brokenOff'>): boolean {
  return !brokenOff && ['preparing', 'running', 'paused', 'stopping'].includes(record.state);
}

/** What can be done with a run now: nothing that cannot work. */
export function offeredActions(run: RunStanding): OfferedAction[] {
  const { record, asked, usable } = run;
  if (isLive(run)) return liveActions(record.state, asked);
  const canResume = record.state !== 'finished';
  const lacksWeights = record.state === 'failed' && record.missing === 'weights';
  return [
    ...(canResume ? [{ action: 'resume' as const, disabled: asked === 'resume' }] : []),
    ...(lacksWeights
      ? (['openWeightsFolder', 'setMirror', 'trainWithoutWeights'] as const).map((action) => ({ action }))
      : []),
    ...(usable ? (['test', 'classify', 'exportOnnx'] as const).map((action) => ({ action })) : []),
    { action: 'trainAgain' },
  ];
}

function liveActions(state: RunState, asked: RunRequest | undefined): OfferedAction[] {
  const isStopping = asked === 'stop' || state === 'stopping';
  const first = state === 'paused' ? 'resume' : 'pause';
  const stop: OfferedAction = { action: isStopping ? 'stopNow' : 'stop' };
  return state === 'preparing' ? [stop] : [{ action: first, disabled: isStopping || asked !== undefined }, stop];
}
