import type { RunRequest } from '../../protocol/trainingPanel.ts';
import { type DerivedRunState, isOver } from '../../runs/state.ts';

/** What runs were asked for and have not done yet, whoever asked: a button of the page, a row of the tree, a command. */
export interface AskedRuns {
  /** Undefined if there is nothing, or if the run has done it, which is forgotten then. */
  readonly requestOf: (folder: string) => RunRequest | undefined;
  /** Asks by `work`, and remembers what for until the run has done it or `work` has failed. */
  readonly ask: <Result>(folder: string, request: RunRequest, work: () => Promise<Result>) => Promise<Result>;
}

interface Asked {
  readonly request: RunRequest;
  /** The run's state when it was asked. */
  readonly state: DerivedRunState | undefined;
}

/** `onChange` hears of a run that is asked, or that could not be. */
export function createAskedRuns(
  stateOf: (folder: string) => DerivedRunState | undefined,
  onChange: (folder: string) => void,
): AskedRuns {
  const asked = new Map<string, Asked>();
  return {
    requestOf: (folder) => {
      const own = asked.get(folder);
      if (own !== undefined && isDone(own, stateOf(folder))) asked.delete(folder);
      return asked.get(folder)?.request;
    },
    ask: async (folder, request, work) => {
      const own = { request, state: stateOf(folder) };
      asked.set(folder, own);
      onChange(folder);
      try {
        return await work();
      } catch (error) {
        if (asked.get(folder) === own) {
          asked.delete(folder);
          onChange(folder);
        }
        throw error;
      }
    },
  };
}

/** A run that prepares goes on to run before it stops; anything else shows in its next state. */
function isDone({ request, state }: Asked, now: DerivedRunState | undefined): boolean {
  return request === 'stop' ? now === undefined || isOver(now) : now !== state;
}
