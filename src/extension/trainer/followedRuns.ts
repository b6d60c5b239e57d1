import * as vscode from 'vscode';
import type { StoredRun } from '../../runs/list.ts';
import { type FollowedRun, followRun, type RunFollower } from './followRun.ts';

/** The runs that are followed, each once, however many look at it. */
export interface FollowedRuns {
  /** Follows a run until the last who asked disposes of it. */
  readonly follow: (run: StoredRun) => FollowedRun & { readonly dispose: () => void };
  /** The run's file of events has grown. */
  readonly onGrow: (folder: string) => void;
  /** The run's record may have changed; undefined for one that is gone. */
  readonly update: (folder: string, run: StoredRun | undefined) => void;
  readonly folders: () => readonly string[];
  readonly dispose: () => void;
}

/** `onProcessEnd` hears of a run whose trainer's socket closes. */
export function createFollowedRuns(onProcessEnd: (folder: string) => void): FollowedRuns {
  const followed = new Map<string, { readonly follower: RunFollower; users: number }>();
  return {
    follow: (run) => {
      const { folder } = run;
      const begin = () => followRun(run, () => onProcessEnd(folder), isTrusted);
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
    },
    onGrow: (folder) => followed.get(folder)?.follower.onGrow(),
    update: (folder, run) => followed.get(folder)?.follower.update(run),
    folders: () => [...followed.keys()],
    dispose: () => {
      for (const { follower } of followed.values()) follower.dispose();
    },
  };
}

function isTrusted(): boolean {
  return vscode.workspace.isTrusted;
}
