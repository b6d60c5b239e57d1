import * as vscode from 'vscode';
import type { TrainingEvent, TrainingEventOf } from '../../protocol/trainingEvents.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isLive } from '../../runs/state.ts';
import type { RunStore } from './runStore.ts';
import type { Trainers } from './trainers.ts';

/** A run that is training, with what it said last. */
export interface LiveRun {
  readonly folder: string;
  readonly step: TrainingEventOf<'step'> | undefined;
  readonly totalSteps: number | undefined;
}

/** The runs that are training now, wherever they were started. */
export interface LiveRuns {
  readonly all: () => readonly LiveRun[];
  readonly get: (folder: string) => LiveRun | undefined;
  /** At most twice a second. */
  readonly onDidChange: vscode.Event<void>;
  /** A run that was live has ended or has been broken off. */
  readonly onDidEnd: vscode.Event<StoredRun>;
  readonly dispose: () => void;
}

type Watched = { folder: string; step: LiveRun['step']; totalSteps: number | undefined; end: () => void };

/** Milliseconds between two words to those who listen. */
const pace = 500;

export function createLiveRuns(runs: RunStore, trainers: Trainers): LiveRuns {
  const watched = new Map<string, Watched>();
  const changed = new vscode.EventEmitter<void>();
  const ended = new vscode.EventEmitter<StoredRun>();
  let timer: NodeJS.Timeout | undefined;

  const tell = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      changed.fire();
    }, pace);
  };
  const begin = (folder: string): void => {
    const followed = trainers.follow(folder);
    const run: Watched = { folder, step: undefined, totalSteps: undefined, end: followed.dispose };
    watched.set(folder, run);
    followed.onEvents((_, events) => {
      for (const event of events) take(run, event);
      tell();
    });
  };
  const look = (folders: readonly string[]): void => {
    for (const folder of folders) {
      const run = runs.get(folder);
      const lives = run !== undefined && isLive(run.state);
      if (lives && !watched.has(folder)) begin(folder);
      if (!lives && watched.has(folder)) {
        watched.get(folder)?.end();
        watched.delete(folder);
        if (run !== undefined) ended.fire(run);
      }
    }
    tell();
  };
  const listener = runs.onDidChange(look);
  return {
    all: () => [...watched.values()],
    get: (folder) => watched.get(folder),
    onDidChange: changed.event,
    onDidEnd: ended.event,
    dispose: () => {
      clearTimeout(timer);
      listener.dispose();
      changed.dispose();
      ended.dispose();
      for (const { end } of watched.values()) end();
    },
  };
}

function take(run: Watched, event: TrainingEvent): void {
  if (event.event === 'step') run.step = event;
  if (event.event === 'start') run.totalSteps = event.totalSteps;
}
