import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import type { ShownRun, TrainingPanelToPage } from '../../protocol/trainingPanel.ts';

/** Time over which news is gathered before it is sent, in milliseconds: a frame. */
const frame = 16;
/** Events of one message: a long history is sent in parts, so that the page can draw in between. */
const eventsPerMessage = 5000;

/** A run's events, followed. */
export interface FollowedEvents {
  readonly events: readonly TrainingEvent[];
  /** `from` is 0 where the history begins anew. Returns the function that ends it. */
  readonly onEvents: (listener: (from: number) => void) => () => void;
  dispose(): void;
}

/** What a training session knows of runs. */
export interface RunSource {
  /** All that there are, newest first. */
  runs(): readonly ShownRun[];
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
}

/** Tells `post` of runs and their events: whole in a replay, then what is new, no more often than once a frame. */
export function createTrainingSession(
  source: RunSource,
  post: (message: TrainingPanelToPage) => void,
): TrainingSession {
  const curves = new Map<string, Curve>();
  let folders: readonly string[] = [];
  let flushing: NodeJS.Timeout | undefined;

  const flush = () => {
    flushing = undefined;
    for (const [folder, curve] of curves) curve.sent = postEvents(folder, curve);
  };
  const flushSoon = () => (flushing ??= setTimeout(flush, frame));

  function postEvents(folder: string, { followed: { events }, sent }: Curve): number {
    let from = sent;
    while (from < events.length) {
      post({ type: 'events', folder, from, events: events.slice(from, from + eventsPerMessage) });
      from = Math.min(events.length, from + eventsPerMessage);
    }
    return from;
  }

  function follow(folder: string): Curve {
    const followed = source.follow(folder);
    const curve: Curve = {
      followed,
      sent: 0,
      stop: followed.onEvents((from) => {
        // An empty message takes away what the page has of a history that is no longer there.
        if (from < curve.sent) post({ type: 'events', folder, from: 0, events: [] });
        curve.sent = Math.min(curve.sent, from === 0 ? 0 : curve.sent);
        flushSoon();
      }),
    };
    return curve;
  }

  function postRuns(): void {
    const runs = source.runs();
    const shown = folders.flatMap((folder) => runs.find((run) => run.folder === folder) ?? []);
    const others = runs.filter(({ folder }) => !folders.includes(folder));
    post({ type: 'runs', shown, others: others.map(({ folder, record }) => ({ folder, name: record.name })) });
  }

  function show(wanted: readonly string[]): void {
    const existing = new Set(source.runs().map(({ folder }) => folder));
    folders = [...new Set(wanted)].filter((folder) => existing.has(folder));
    for (const [folder, { followed, stop }] of curves) {
      if (folders.includes(folder)) continue;
      stop();
      followed.dispose();
      curves.delete(folder);
    }
    for (const folder of folders) if (!curves.has(folder)) curves.set(folder, follow(folder));
    postRuns();
    flushSoon();
  }

  return {
    get folders() {
      return folders;
    },
    show,
    replay: () => {
      clearTimeout(flushing);
      postRuns();
      for (const [folder, curve] of curves) {
        curve.sent = 0;
        if (curve.followed.events.length === 0) post({ type: 'events', folder, from: 0, events: [] });
      }
      flush();
    },
    refresh: () => show(folders),
    dispose: () => {
      clearTimeout(flushing);
      for (const { followed, stop } of curves.values()) {
        stop();
        followed.dispose();
      }
      curves.clear();
    },
  };
}
