import { mostThinnedEvents } from '../../protocol/thinnedHistory.ts';
import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import type { TrainingPanelToPage } from '../../protocol/trainingPanel.ts';

/** Time over which news is gathered before it is sent, in milliseconds: a frame. */
const frame = 16;
/** Time between two messages that begin a curve anew, in milliseconds: a long history is thinned many times while it is read. */
const anewPace = 1000;

/** A run's events, followed. */
export interface FollowedEvents {
  readonly events: readonly TrainingEvent[];
  /** `from` is 0 where the history begins anew. Returns the function that ends it. */
  readonly onEvents: (listener: (from: number) => void) => () => void;
  dispose(): void;
}

/** Keeps a page in step with the events of one run. */
export interface EventFeed {
  /** Says everything to a page that begins anew. */
  readonly replay: () => void;
  /** Ends it, and with it the following. */
  readonly dispose: () => void;
}

/** Sends what is new, no more often than once a frame. Each feed waits by itself, so that a long history keeps no other waiting. */
export function createEventFeed(
  folder: string,
  followed: FollowedEvents,
  post: (message: TrainingPanelToPage) => void,
): EventFeed {
  /** Number of events that the page has. */
  let sent = 0;
  /** When the page was last told to begin the curve anew, in milliseconds; 0 where it has to be at once. */
  let begun = 0;
  let flushing: NodeJS.Timeout | undefined;

  const flushSoon = (wait = frame): void => {
    flushing ??= setTimeout(flush, wait);
  };
  const flush = (): void => {
    clearTimeout(flushing);
    flushing = undefined;
    const { events } = followed;
    const now = performance.now();
    const wait = sent === 0 ? begun + anewPace - now : 0;
    if (begun > 0 && wait > 0) {
      flushSoon(wait);
      return;
    }
    if (sent === 0 && events.length > 0) begun = now;
    while (sent < events.length) {
      const part = events.slice(sent, sent + mostThinnedEvents);
      post({ type: 'events', folder, from: sent, events: part });
      sent += part.length;
    }
  };
  /** What the page has of a history that is no longer there goes at once. */
  const forgetIfEmpty = (): void => {
    if (followed.events.length > 0) return;
    post({ type: 'events', folder, from: 0, events: [] });
    begun = 0;
  };
  const stop = followed.onEvents((from) => {
    if (from === 0) sent = 0;
    forgetIfEmpty();
    flushSoon();
  });
  flushSoon();
  return {
    replay: () => {
      sent = 0;
      begun = 0;
      forgetIfEmpty();
      flush();
    },
    dispose: () => {
      clearTimeout(flushing);
      stop();
      followed.dispose();
    },
  };
}
