import type { RunState } from '../../protocol/trainingEvents.ts';

export type RunAction = 'pause' | 'resume' | 'stop';

const stateWords: Record<RunState, string> = {
  preparing: 'Preparing',
  running: 'Running',
  paused: 'Paused',
  stopping: 'Stopping',
  finished: 'Finished',
  stopped: 'Stopped',
  failed: 'Failed',
};

const stateActions: Record<RunState, readonly RunAction[]> = {
  preparing: ['stop'],
  running: ['pause', 'stop'],
  paused: ['resume', 'stop'],
  stopping: [],
  finished: [],
  stopped: ['resume'],
  failed: ['resume'],
};

/** What a run's state is called. */
export function stateWord(state: RunState, brokenOff: boolean): string {
  return brokenOff ? 'Broken off' : stateWords[state];
}

/** What can be done with a run now. One whose process is gone can only go on from its last checkpoint. */
export function possibleActions(state: RunState, brokenOff: boolean): readonly RunAction[] {
  return brokenOff ? ['resume'] : stateActions[state];
}
