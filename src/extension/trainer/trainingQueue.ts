import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { messageOf } from '../../protocol/errors.ts';
import type { Log } from '../log.ts';
import { inMessage } from '../plainText.ts';
import { enqueue, parseQueue, type QueuedRun } from './queuedRuns.ts';
import type { TrainingRequest } from '../../runs/startTrainer.ts';

/** Runs that wait for their turn, kept with the workspace. */
export interface TrainingQueue {
  readonly runs: readonly QueuedRun[];
  /** The run that has left the queue and has no folder yet. */
  readonly starting: TrainingRequest | undefined;
  readonly add: (request: TrainingRequest) => Promise<void>;
  readonly remove: (id: number) => Promise<void>;
  /** Runs came or went, or the one that left has begun or could not. */
  readonly onDidChange: vscode.Event<void>;
  /** Starts the first, unless something trains or begins to; one that cannot start is left out with a message. */
  readonly advance: () => Promise<void>;
  readonly dispose: () => void;
}

export interface QueueSurroundings {
  readonly memory: Pick<vscode.Memento, 'get' | 'update'>;
  readonly log: Log;
  readonly start: (request: TrainingRequest) => Promise<unknown>;
  /** Whether something trains or begins to. */
  readonly isBusy: () => boolean;
}

const queueKey = 'trainingQueue';

export function createTrainingQueue({ memory, log, start, isBusy }: QueueSurroundings): TrainingQueue {
  const changed = new vscode.EventEmitter<void>();
  let queue = parseQueue(memory.get(queueKey));
  let starting: TrainingRequest | undefined;

  const setQueue = async (next: readonly QueuedRun[]): Promise<void> => {
    queue = next;
    changed.fire();
    await memory.update(queueKey, queue.length === 0 ? undefined : queue);
  };
  const advance = async (): Promise<void> => {
    const [next, ...rest] = queue;
    if (next === undefined || starting || isBusy()) return;
    starting = next.request;
    try {
      await setQueue(rest);
      await start(next.request);
    } catch (error) {
      log.error(messageOf(error));
      void vscode.window.showErrorMessage(
        inMessage(l10n.t('The next run of the queue could not start: {0}', messageOf(error))),
      );
    } finally {
      starting = undefined;
      changed.fire();
    }
    await advance();
  };
  return {
    get runs() {
      return queue;
    },
    get starting() {
      return starting;
    },
    add: (request) => setQueue(enqueue(queue, request)),
    remove: (id) => setQueue(queue.filter((entry) => entry.id !== id)),
    onDidChange: changed.event,
    advance,
    dispose: () => changed.dispose(),
  };
}
