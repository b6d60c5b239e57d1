import { join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { userError } from '../../protocol/errors.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import type { RunRequest } from '../../protocol/trainingPanel.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isLive, isUnfollowed } from '../../runs/state.ts';
import { isSweepLive } from '../../runs/storedSweep.ts';
import type { Log } from '../log.ts';
import { requireTrust } from '../requireTrust.ts';
import { readSettings } from '../settings.ts';
import { type AskedRuns, createAskedRuns } from './askedRuns.ts';
import { controlRun } from './controlRun.ts';
import { isAway, trainsHere } from './elsewhere.ts';
import { endNow } from './endNow.ts';
import { createFollowedRuns } from './followedRuns.ts';
import type { FollowedRun } from './followRun.ts';
import { createOwnTrainers } from './ownTrainers.ts';
import { createJobs, type Jobs } from './jobs.ts';
import type { QueuedRun } from './queuedRuns.ts';
import type { RunStore } from './runStore.ts';
import type { TrainingRequest } from '../../runs/startTrainer.ts';
import { createTrainingQueue, type TrainingQueue } from './trainingQueue.ts';

/** Trainer processes: those of this window, those of earlier windows, and those of a shell. */
export interface Trainers {
  /** Starts a run now, whatever else trains. Returns its folder; throws a user error where it cannot begin. */
  readonly start: (request: TrainingRequest) => Promise<string>;
  /** Starts a run as soon as none is live. */
  readonly enqueue: (request: TrainingRequest) => Promise<void>;
  readonly queue: readonly QueuedRun[];
  /** Whether a run, by its folder, waits for its turn or begins from the queue. */
  readonly isQueued: (folder: string) => boolean;
  readonly dequeue: (id: number) => Promise<void>;
  readonly onDidChangeQueue: vscode.Event<void>;
  /** A run that this window started has its folder now. */
  readonly onDidStart: vscode.Event<string>;
  /** Finishes the step, saves, ends; of a run that waits for its job, takes that out of the queue. */
  readonly stop: (folder: string) => Promise<void>;
  /** What a run was asked for and has not done yet. */
  readonly requestOf: AskedRuns['requestOf'];
  /** A run was asked for something, or could not be: its folder. */
  readonly onDidAsk: vscode.Event<string>;
  /** Ends the process in the middle of its step; the last checkpoint stays. */
  readonly stopNow: (folder: string) => Promise<void>;
  readonly pause: (folder: string) => Promise<void>;
  /** Lets a paused run go on, or goes on with one that ended or was interrupted. Returns its folder. */
  readonly resume: (folder: string) => Promise<string>;
  /** The schedulers of runs that were submitted. */
  readonly jobs: Jobs;
  /** Follows a run's events until the last who asked disposes of it. Throws a user error for a folder that is no run. */
  readonly follow: (folder: string) => FollowedRun & { readonly dispose: () => void };
  /** Takes up the queue that an earlier window left. */
  readonly begin: () => void;
  readonly dispose: () => void;
}

export function createTrainers(
  context: vscode.ExtensionContext,
  { log, runs }: { log: Log; runs: RunStore },
): Trainers {
  const own = createOwnTrainers(context, { log, runs });
  const jobs = createJobs(context);
  const didAsk = new vscode.EventEmitter<string>();
  const asked = createAskedRuns(
    (folder) => runs.get(folder)?.state,
    (folder) => didAsk.fire(folder),
  );
  const isBusy = () => own.isStarting() || trainsSomething(runs);
  const queue = createTrainingQueue({ memory: context.workspaceState, log, start: own.start, isBusy });
  // The socket closes a moment before the process is gone.
  const followed = createFollowedRuns((folder) => void setTimeout(() => void runs.refresh(folder), 300));
  /** Asks the process of a live run, or where it was submitted to. */
  const ask = (folder: string, type: RunRequest): Promise<void> => {
    const run = known(runs, folder);
    return asked.ask(folder, type, async () => {
      if (!isWithJob(run)) return controlRun(run, { type });
      await jobs.control(folder, type);
      // What it does then is to be seen.
      if (isUnfollowed(run)) await jobs.follow(folder);
    });
  };
  const listeners = [
    own,
    didAsk,
    queue,
    runs.onDidGrow(followed.onGrow),
    runs.onDidChange((folders) => {
      for (const folder of folders) {
        followed.update(folder, runs.get(folder));
        // Forgets what the run has done since, before it can be in its old state again.
        asked.requestOf(folder);
      }
      void queue.advance();
    }),
    runs.onDidChangeSweeps(() => void queue.advance()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      for (const folder of followed.folders()) followed.update(folder, runs.get(folder));
    }),
  ];
  return {
    start: own.start,
    enqueue: async (request) => {
      await queue.add(request);
      await runs.load();
      void queue.advance();
    },
    get queue() {
      return queue.runs;
    },
    isQueued: (folder) => isQueued(queue, folder),
    dequeue: queue.remove,
    onDidChangeQueue: queue.onDidChange,
    onDidStart: own.onDidStart,
    stop: (folder) => ask(folder, 'stop'),
    requestOf: asked.requestOf,
    onDidAsk: didAsk.event,
    stopNow: async (folder) => {
      requireTrust('controlling');
      await endNow(known(runs, folder).folder, own.folders.has(folder));
      await runs.refresh(folder);
    },
    pause: (folder) => ask(folder, 'pause'),
    resume: async (folder) => {
      const run = known(runs, folder);
      if (!isLive(run.state)) return asked.ask(folder, 'resume', () => own.start(resumption(run)));
      await ask(folder, 'resume');
      return folder;
    },
    jobs,
    follow: (folder) => followed.follow(known(runs, folder)),
    begin: () => void queue.advance(),
    dispose: () => {
      if (!readSettings().keepTraining) stopAll([...own.folders].flatMap((folder) => runs.get(folder) ?? []));
      followed.dispose();
      jobs.dispose();
      for (const listener of listeners) listener.dispose();
    },
  };
}

/** Whether a run or a sweep trains on this machine: a sweep has no live run for a moment between two of its trials. */
function trainsSomething({ runs, sweeps }: RunStore): boolean {
  return (
    runs.some(trainsHere) || sweeps.sweeps().some(({ state, record }) => isSweepLive(state) && record.to === undefined)
  );
}

/** Whether a run waits in the queue, or is being started from it. */
function isQueued(queue: TrainingQueue, folder: string): boolean {
  return [...queue.runs.map(({ request }) => request), ...(queue.starting ? [queue.starting] : [])].some(
    ({ out, name, resume }) => (resume ?? (name === undefined ? undefined : join(out, name))) === folder,
  );
}

/** Whether a run is asked where it was submitted to: it waits there, or trains on another machine. */
function isWithJob(run: StoredRun): boolean {
  return run.state === 'queued' || (run.job !== undefined && isAway(run));
}

function known(runs: RunStore, folder: string): StoredRun {
  const run = runs.get(folder);
  if (run === undefined)
    throw userError(l10n.t('There is no run in {0} any more; refresh the list of checkpoints.', folder));
  return run;
}

/** How to go on with a run that ended or was interrupted; one without a checkpoint begins again. Throws a user error where there is nothing more to train. */
function resumption({ folder, record }: StoredRun): TrainingRequest {
  if (record.state === 'finished') {
    throw userError(
      l10n.t(
        '{0} has finished all {1} epochs; to continue, train more epochs.',
        runTitle(record.name),
        record.config.epochs,
      ),
    );
  }
  return { config: record.config, out: join(folder, '..'), resume: folder };
}

/** As the window closes: nobody is left to hear of what fails. */
function stopAll(runs: readonly StoredRun[]): void {
  for (const run of runs) if (isLive(run.state)) void controlRun(run, { type: 'stop' }).catch(() => undefined);
}
