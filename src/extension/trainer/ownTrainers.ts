import * as vscode from 'vscode';
import type { Log } from '../log.ts';
import { requireTrust } from '../requireTrust.ts';
import { workerEnvironment } from '../workerEnvironment.ts';
import type { RunStore } from './runStore.ts';
import { startTrainer, type TrainingRequest } from '../../runs/startTrainer.ts';

/** The trainer processes that this window started. */
export interface OwnTrainers {
  /** Starts a run now and returns its folder; throws a user error where it cannot begin. */
  readonly start: (request: TrainingRequest) => Promise<string>;
  /** Whether one is about to begin. */
  readonly isStarting: () => boolean;
  /** Folders of the runs that began. */
  readonly folders: ReadonlySet<string>;
  /** A run has its folder now. */
  readonly onDidStart: vscode.Event<string>;
  readonly dispose: () => void;
}

export function createOwnTrainers(
  context: vscode.ExtensionContext,
  { log, runs }: { log: Log; runs: RunStore },
): OwnTrainers {
  const started = new vscode.EventEmitter<string>();
  const folders = new Set<string>();
  let starting = 0;
  return {
    start: async (request) => {
      requireTrust('training');
      starting++;
      try {
        const folder = await startTrainer(request, {
          script: context.asAbsolutePath('dist/ml/trainer.mjs'),
          environment: workerEnvironment(context),
          onErrorLine: (line) => log.warn(`trainer: ${line}`),
        });
        log.info(`Training began in ${folder}.`);
        folders.add(folder);
        await runs.load();
        await runs.refresh(folder);
        started.fire(folder);
        return folder;
      } finally {
        starting--;
      }
    },
    isStarting: () => starting > 0,
    folders,
    onDidStart: started.event,
    dispose: () => started.dispose(),
  };
}
