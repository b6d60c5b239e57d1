import type { StoredRun } from '../../runs/list.ts';
import { trainsHere } from './elsewhere.ts';
import { repeatWhile } from './repeatWhile.ts';
import { createRunEvents, type EventsListener } from './runEvents.ts';
import { isLive } from '../../runs/state.ts';
import { isTrainerSocket, listenToTrainer } from './trainerSocket.ts';
import type { TrainingEvent } from '../../protocol/trainingEvents.ts';

/** Milliseconds between two looks at a live run that somebody has on show, whether its file has grown unheard. */
const lookInterval = 2000;

/** A run whose events are read and followed while somebody looks at it. */
export interface FollowedRun {
  readonly folder: string;
  /** All events that have been read so far. */
  readonly events: readonly TrainingEvent[];
  /** Resolves when the history that lay on disk has been read. */
  readonly ready: Promise<void>;
  /** News: see `RunEvents.onEvents`. Returns the function that ends it. */
  readonly onEvents: (listener: EventsListener) => () => void;
}

/** What keeps a followed run in step. */
export interface RunFollower extends FollowedRun {
  /** The record changed: another process may have taken the run over. */
  readonly update: (run: StoredRun | undefined) => void;
  /** The file of events has grown, as the file system says: news only while no trainer says it by its socket. */
  readonly onGrow: () => void;
  readonly dispose: () => void;
}

/**
 * Follows a run. The trainer appends an event to `metrics.jsonl` before it sends it, so the socket is taken as word that
 * the file has grown, and events are read from the file alone: whatever happens to a connection, none is missed and none
 * comes twice. `onProcessEnd` is called when the trainer's socket closes. While `mayConnect` says no, the file alone is
 * read: a record of an untrusted workspace may name any socket.
 */
export function followRun(run: StoredRun, onProcessEnd: () => void, mayConnect: () => boolean): RunFollower {
  const events = createRunEvents(run.folder);
  let address: string | undefined;
  let hangUp: (() => void) | undefined;

  const readOn = (): void => void events.readOn();
  const listen = (socket: string | undefined): void => {
    if (socket === address) return;
    hangUp?.();
    hangUp = undefined;
    address = socket;
    if (socket === undefined || !isTrainerSocket(socket)) return;
    const onClose = (): void => {
      hangUp = undefined;
      // Read first: what came last has to be there when others look at how the run ended.
      void events.readOn().finally(onProcessEnd);
    };
    hangUp = listenToTrainer(socket, { onNews: events.readOn, onClose });
  };
  const readUnheard = (): void => {
    if (hangUp === undefined) readOn();
  };
  // Not every folder can be watched, as on a network or if there are very many runs.
  const lookNowAndThen = repeatWhile(lookInterval, readUnheard);
  const update = (now: StoredRun | undefined): void => {
    const lives = now !== undefined && isLive(now.state);
    const isHere = lives && trainsHere(now);
    listen(isHere && mayConnect() ? now.record.process?.socket : undefined);
    lookNowAndThen(lives);
    readOn();
  };
  update(run);
  return {
    folder: run.folder,
    get events() {
      return events.events;
    },
    ready: events.readOn(),
    onEvents: events.onEvents,
    update,
    onGrow: readUnheard,
    dispose: () => {
      lookNowAndThen(false);
      hangUp?.();
      hangUp = undefined;
    },
  };
}
