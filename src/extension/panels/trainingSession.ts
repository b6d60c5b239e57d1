import { mostThinnedEvents } from '../../protocol/thinnedHistory.ts';
import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import type { ShownRun, TrainingPanelToPage } from '../../protocol/trainingPanel.ts';
import { runTitle } from '../../protocol/runTitle.ts';

/** Time over which news is gathered before it is sent, in milliseconds: a frame. */
const frame = 16;
/** Time between two messages that begin a curve anew, in milliseconds: a long history is thinned many times while it is read. */
const anewPace = 1000;
/** Other runs that are offered for a comparison: the newest. */
const offeredRuns = 200;

/** A run's events, followed. */
export interface FollowedEvents {
  readonly events: readonly TrainingEvent[];
  /** `from` is 0 where the history begins anew. Returns the function that ends it. */
  readonly onEvents: (listener: (from: number) => void) => () => void;
  dispose(): void;
}

/** A run in the list of all. */
export type ListedRun = Pick<ShownRun, 'folder' | 'record' | 'brokenOff'>;

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

interface Curve {
  readonly followed: FollowedEvents;
  readonly stop: () => void;
  /** Number of events that the page has. */
  sent: number;
  /** When the page was last told to begin the curve anew, in milliseconds; 0 where it has to be at once. */
  begun: number;
  /** Sends what is new. Each curve waits by itself, so that a long history keeps no other waiting. */
  flushing?: NodeJS.Timeout | undefined;
}

/** Tells `post` of runs and their events: whole in a replay, then what is new, no more often than once a frame. */
export function createTrainingSession(
  source: RunSource,
  post: (message: TrainingPanelToPage) => void,
): TrainingSession {
  const curves = new Map<string, Curve>();
  let folders: readonly string[] = [];

  const flushSoon = (folder: string, curve: Curve, wait = frame) => {
    curve.flushing ??= setTimeout(() => postEvents(folder, curve), wait);
  };

  function postEvents(folder: string, curve: Curve): void {
    clearTimeout(curve.flushing);
    curve.flushing = undefined;
    const { events } = curve.followed;
    const now = performance.now();
    const wait = curve.sent === 0 ? curve.begun + anewPace - now : 0;
    if (curve.begun > 0 && wait > 0) {
      flushSoon(folder, curve, wait);
      return;
    }
    if (curve.sent === 0 && events.length > 0) curve.begun = now;
    while (curve.sent < events.length) {
      const part = events.slice(curve.sent, curve.sent + mostThinnedEvents);
      post({ type: 'events', folder, from: curve.sent, events: part });
      curve.sent += part.length;
    }
  }

  function follow(folder: string): void {
    const followed = source.follow(folder);
    const curve: Curve = {
      followed,
      sent: 0,
      begun: 0,
      stop: followed.onEvents((from) => {
        if (from === 0) curve.sent = 0;
        // What the page has of a history that is no longer there goes at once.
        if (followed.events.length === 0) {
          post({ type: 'events', folder, from: 0, events: [] });
          curve.begun = 0;
        }
        flushSoon(folder, curve);
      }),
    };
    curves.set(folder, curve);
    flushSoon(folder, curve);
  }

  function leave(folder: string, { followed, stop, flushing }: Curve): void {
    clearTimeout(flushing);
    stop();
    followed.dispose();
    curves.delete(folder);
  }

  function shownRun(run: ListedRun): ShownRun {
    const { folder, record, brokenOff } = run;
    return { folder, record, brokenOff, ...source.details(run) };
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
    for (const [folder, curve] of curves) if (!folders.includes(folder)) leave(folder, curve);
    for (const folder of folders) if (!curves.has(folder)) follow(folder);
    postRuns();
  }

  return {
    get folders() {
      return folders;
    },
    show,
    replay: () => {
      postRuns();
      for (const [folder, curve] of curves) {
        curve.sent = 0;
        curve.begun = 0;
        if (curve.followed.events.length === 0) post({ type: 'events', folder, from: 0, events: [] });
        postEvents(folder, curve);
      }
    },
    refresh: () => show(folders),
    dispose: () => {
      for (const [folder, curve] of curves) leave(folder, curve);
    },
  };
}
