import type { ShownRun, TrainingPanelToPage } from '../../protocol/trainingPanel.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { createEventFeed, type EventFeed, type FollowedEvents } from './eventFeed.ts';

/** Other runs that are offered for a comparison: the newest. */
const offeredRuns = 200;

/** A run in the list of all. */
export type ListedRun = Pick<ShownRun, 'folder' | 'record' | 'brokenOff' | 'job' | 'away'>;

/** What is said of a run beside its record. */
export type RunDetails = Pick<ShownRun, 'refusal' | 'usable' | 'asked'>;

/** What a training session knows of runs. */
export interface RunSource {
  /** All that there are, newest first. */
  runs(): readonly ListedRun[];
  /** What else is said of one that is shown. */
  readonly details: (run: ListedRun) => RunDetails;
  readonly follow: (folder: string) => FollowedEvents;
}

/** What the training panel shows, and what of it the page has been told. */
export interface TrainingSession {
  readonly folders: readonly string[];
  /** Shows these runs, the first in focus; those that do not exist are left out. */
  show(folders: readonly string[]): void;
  /** Says everything to a page that begins anew. */
  readonly replay: () => void;
  /** Runs came, went or changed. */
  refresh(): void;
  dispose(): void;
}

/** Tells `post` of runs and their events: whole in a replay, then what is new, no more often than once a frame. */
export function createTrainingSession(
  source: RunSource,
  post: (message: TrainingPanelToPage) => void,
): TrainingSession {
  const feeds = new Map<string, EventFeed>();
  let folders: readonly string[] = [];

  function shownRun(run: ListedRun): ShownRun {
    return { ...run, ...source.details(run) };
  }

  function postRuns(): void {
    const runs = source.runs();
    const shown = folders.flatMap((folder) => runs.filter((run) => run.folder === folder).map(shownRun));
    const others = runs.filter(({ folder }) => !folders.includes(folder));
    post({
      type: 'runs',
      shown,
      others: others.slice(0, offeredRuns).map(({ folder, record }) => ({ folder, name: runTitle(record.name) })),
    });
  }

  function show(wanted: readonly string[]): void {
    const existing = new Set(source.runs().map(({ folder }) => folder));
    folders = [...new Set(wanted)].filter((folder) => existing.has(folder));
    for (const [folder, feed] of feeds) {
      if (folders.includes(folder)) continue;
      feed.dispose();
      feeds.delete(folder);
    }
    for (const folder of folders) {
      if (!feeds.has(folder)) feeds.set(folder, createEventFeed(folder, source.follow(folder), post));
    }
    postRuns();
  }

  return {
    get folders() {
      return folders;
    },
    show,
    replay: () => {
      postRuns();
      for (const feed of feeds.values()) feed.replay();
    },
    refresh: () => show(folders),
    dispose: () => {
      for (const feed of feeds.values()) feed.dispose();
      feeds.clear();
    },
  };
}
