import { join } from 'node:path';
import process from 'node:process';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { messageOf, userError } from '../../protocol/errors.ts';
import type { TrainerRequest } from '../../protocol/trainerProtocol.ts';
import type { RunRequest } from '../../protocol/trainingPanel.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { requireTrust } from '../requireTrust.ts';
import { readSettings } from '../settings.ts';
import { workerEnvironment } from '../workerEnvironment.ts';
import { type AskedRuns, createAskedRuns } from './askedRuns.ts';
import { elsewhereRefusal } from './elsewhere.ts';
import { endNow } from './endNow.ts';
import { type FollowedRun, followRun, type RunFollower } from './followRun.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isVerified } from '../../runs/owner.ts';
import { isLive } from '../../runs/state.ts';
import type { RunStore } from './runStore.ts';
import { startTrainer, type TrainingRequest } from './startTrainer.ts';
import { isTrainerSocket, sendToTrainer } from './trainerSocket.ts';
import { enqueue, parseQueue, type QueuedRun } from './trainingQueue.ts';
import { inMessage } from '../plainText.ts';
import type { Log } from '../log.ts';

/** Trainer processes: those of this window, those of earlier windows, and those of a shell. */
export interface Trainers {
  /** Starts a run now, whatever else trains. Returns its folder; throws a user error where it cannot begin. */
  readonly start: (request: TrainingRequest) => Promise<string>;
  /** Starts a run as soon as none is live. */
  readonly enqueue: (request: TrainingRequest) => Promise<void>;
  readonly queue: readonly QueuedRun[];
  readonly dequeue: (id: number) => Promise<void>;
  readonly onDidChangeQueue: vscode.Event<void>;
  /** A run that this window started has its folder now. */
  readonly onDidStart: vscode.Event<string>;
  /** Finishes the step, saves, ends. */
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
  /** Follows a run's events until the last who asked disposes of it. Throws a user error for a folder that is no run. */
  readonly follow: (folder: string) => FollowedRun & { readonly dispose: () => void };
  /** Takes up the queue that an earlier window left. */
  readonly begin: () => void;
  readonly dispose: () => void;
}

interface Shared {
  readonly follower: RunFollower;
  users: number;
}

const queueKey = 'trainingQueue';

export function createTrainers(
  context: vscode.ExtensionContext,
  { log, runs }: { log: Log; runs: RunStore },
): Trainers {
  const followed = new Map<string, Shared>();
  const started = new vscode.EventEmitter<string>();
  const queueChanged = new vscode.EventEmitter<void>();
  const didAsk = new vscode.EventEmitter<string>();
  const asked = createAskedRuns(
    (folder) => runs.get(folder)?.state,
    (folder) => didAsk.fire(folder),
  );
  const own = new Set<string>();
  let queue = parseQueue(context.workspaceState.get(queueKey));
  let starting = 0;

  const start = async (request: TrainingRequest): Promise<string> => {
    requireTrust('training');
    starting++;
    try {
      const folder = await startTrainer(request, {
        script: context.asAbsolutePath('dist/ml/trainer.mjs'),
        environment: workerEnvironment(context),
        onErrorLine: (line) => log.warn(`trainer: ${line}`),
      });
      log.info(`Training began in ${folder}.`);
      own.add(folder);
      await runs.load();
      await runs.refresh(folder);
      started.fire(folder);
      return folder;
    } finally {
      starting--;
    }
  };
  const setQueue = async (next: readonly QueuedRun[]): Promise<void> => {
    queue = next;
    queueChanged.fire();
    await context.workspaceState.update(queueKey, queue.length === 0 ? undefined : queue);
  };
  const startNext = async (): Promise<void> => {
    const [next, ...rest] = queue;
    if (next === undefined || starting > 0 || runs.runs.some(({ state }) => isLive(state))) return;
    starting++;
    try {
      await setQueue(rest);
      await start(next.request);
    } catch (error) {
      log.error(messageOf(error));
      void vscode.window.showErrorMessage(
        inMessage(l10n.t('The next run of the queue could not start: {0}', messageOf(error))),
      );
    } finally {
      starting--;
    }
    await startNext();
  };
  const follow = (folder: string): FollowedRun & { readonly dispose: () => void } => {
    const begin = () => followRun(known(runs, folder), () => ended(folder), isTrusted);
    const shared = followed.get(folder) ?? { follower: begin(), users: 0 };
    followed.set(folder, shared);
    shared.users++;
    let over = false;
    const dispose = (): void => {
      if (over) return;
      over = true;
      shared.users--;
      if (shared.users > 0) return;
      shared.follower.dispose();
      followed.delete(folder);
    };
    const { ready, onEvents } = shared.follower;
    return {
      folder,
      get events() {
        return shared.follower.events;
      },
      ready,
      onEvents,
      dispose,
    };
  };
  /** The socket closes a moment before the process is gone. */
  const ended = (folder: string): void => {
    setTimeout(() => void runs.refresh(folder), 300);
  };
  /** Asks the process of a live run. */
  const ask = (folder: string, type: RunRequest): Promise<void> => {
    const run = known(runs, folder);
    return asked.ask(folder, type, () => control(run, { type }));
  };
  const listeners = [
    started,
    didAsk,
    queueChanged,
    runs.onDidGrow((folder) => followed.get(folder)?.follower.onGrow()),
    runs.onDidChange((folders) => {
      for (const folder of folders) {
        followed.get(folder)?.follower.update(runs.get(folder));
        // Forgets what the run has done since, before it can be in its old state again.
        asked.requestOf(folder);
      }
      void startNext();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      for (const [folder, { follower }] of followed) follower.update(runs.get(folder));
    }),
  ];
  return {
    start,
    enqueue: async (request) => {
      await setQueue(enqueue(queue, request));
      await runs.load();
      void startNext();
    },
    get queue() {
      return queue;
    },
    dequeue: (id) => setQueue(queue.filter((entry) => entry.id !== id)),
    onDidChangeQueue: queueChanged.event,
    onDidStart: started.event,
    stop: (folder) => ask(folder, 'stop'),
    requestOf: asked.requestOf,
    onDidAsk: didAsk.event,
    stopNow: async (folder) => {
      requireTrust('controlling');
      await endNow(known(runs, folder).folder, own.has(folder));
      await runs.refresh(folder);
    },
    pause: (folder) => ask(folder, 'pause'),
    resume: async (folder) => {
      const run = known(runs, folder);
      if (!isLive(run.state)) return asked.ask(folder, 'resume', () => start(resumption(run)));
      await ask(folder, 'resume');
      return folder;
    },
    follow,
    begin: () => void startNext(),
    dispose: () => {
      if (!readSettings().keepTraining) stopAll([...own].flatMap((folder) => runs.get(folder) ?? []));
      for (const { follower } of followed.values()) follower.dispose();
      for (const listener of listeners) listener.dispose();
    },
  };
}

function isTrusted(): boolean {
  return vscode.workspace.isTrusted;
}

function known(runs: RunStore, folder: string): StoredRun {
  const run = runs.get(folder);
  if (run === undefined)
    throw userError(l10n.t('There is no run in {0} any more; refresh the list of checkpoints.', folder));
  return run;
}

/** Asks the process of a live run for something. A shell's run has no socket; it stops as by Ctrl-C. */
async function control({ record, state }: StoredRun, request: TrainerRequest): Promise<void> {
  // The record says whom to ask, and in an untrusted workspace it may name anybody.
  requireTrust('controlling');
  if (!isLive(state)) throw userError(notRunning(runTitle(record.name), request));
  const elsewhere = elsewhereRefusal(record);
  if (elsewhere !== undefined) throw userError(elsewhere);
  const { process: owner } = record;
  if (owner?.socket !== undefined) {
    if (!isTrainerSocket(owner.socket))
      throw userError(
        l10n.t(
          'The process that {0} names is not one of your training processes, so nothing is asked of it.',
          runTitle(record.name),
        ),
      );
    return sendToTrainer(owner.socket, request);
  }
  if (owner === undefined || request.type !== 'stop' || process.platform === 'win32') {
    throw userError(startedInTerminal(runTitle(record.name), request));
  }
  // The number may have gone to another process.
  if (!isVerified(owner))
    throw userError(
      l10n.t('The process of {0} cannot be identified: stop it where it was started.', runTitle(record.name)),
    );
  process.kill(owner.pid, 'SIGINT');
}

function notRunning(title: string, { type }: TrainerRequest): string {
  switch (type) {
    case 'stop':
      return l10n.t('{0} is not running, so there is nothing to stop.', title);
    case 'pause':
      return l10n.t('{0} is not running, so there is nothing to pause.', title);
    case 'resume':
      return l10n.t('{0} is not running, so there is nothing to resume.', title);
  }
}

function startedInTerminal(title: string, { type }: TrainerRequest): string {
  switch (type) {
    case 'stop':
      return l10n.t('{0} was started in a terminal: stop it there.', title);
    case 'pause':
      return l10n.t('{0} was started in a terminal: pause it there.', title);
    case 'resume':
      return l10n.t('{0} was started in a terminal: resume it there.', title);
  }
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
  for (const run of runs) if (isLive(run.state)) void control(run, { type: 'stop' }).catch(() => undefined);
}
