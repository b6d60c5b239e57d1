import { messageOf } from '../../protocol/errors.ts';
import { mostHeldEvents, thinnedHistory } from '../../protocol/thinnedHistory.ts';
import type { TrainingEvent } from '../../protocol/trainingEvents.ts';
import { readEvents } from '../../runs/events.ts';

/** The events of one run as its `metrics.jsonl` has them, which is the truth; read on as the file grows. */
export interface RunEvents {
  /** All of them, or a thinned history where they are too many to hold. */
  readonly events: readonly TrainingEvent[];
  readonly isThinned: boolean;
  /** Reads what is new and returns when all that lay there has been told. Calls at the same time share one reading. */
  readonly readOn: () => Promise<void>;
  /** `from` is the index of the first of `events`; 0 begins anew, as when the file was replaced or the history thinned. */
  readonly onEvents: (listener: EventsListener) => () => void;
}

export type EventsListener = (from: number, events: readonly TrainingEvent[]) => void;

export function createRunEvents(folder: string): RunEvents {
  const listeners = new Set<EventsListener>();
  let events: TrainingEvent[] = [];
  let offset = 0;
  let reading: Promise<void> | undefined;
  let again = false;
  let failure: string | undefined;
  let isThinned = false;

  const tell = (from: number): void => {
    const news = events.slice(from);
    for (const listener of listeners) listener(from, news);
  };
  const add = (news: readonly TrainingEvent[]): void => {
    if (news.length === 0) return;
    const from = events.length;
    for (const event of news) events.push(event);
    if (events.length > mostHeldEvents) {
      events = thinnedHistory(events);
      isThinned = true;
      tell(0);
    } else tell(from);
  };
  /** What cannot be read is told once, where people look for what a run says. */
  const fail = (message: string): void => {
    if (message === failure) return;
    failure = message;
    add([{ event: 'log', time: new Date().toISOString(), level: 'error', message }]);
  };
  const readAll = async (): Promise<void> => {
    do {
      again = false;
      for await (const part of readEvents(folder, offset)) {
        if (part.anew) {
          events = [];
          isThinned = false;
          tell(0);
        }
        offset = part.next;
        add(part.events);
      }
    } while (again as boolean);
  };
  return {
    get events() {
      return events;
    },
    get isThinned() {
      return isThinned;
    },
    readOn: () => {
      again = true;
      reading ??= readAll()
        .catch((error: unknown) => fail(messageOf(error)))
        .finally(() => (reading = undefined));
      return reading;
    },
    onEvents: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
