import { cancelled } from '../../../protocol/errors.ts';

/** What a user may ask of a run while it trains. The loop looks at it between two steps, and gives up a long one for it. */
export interface TrainingControl {
  /** Holds the loop before its next step, until `resume` or `stop`. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Ends the run after the present step, or before it if that is computed in parts or takes long; what it learned is saved. */
  readonly stop: () => void;
  readonly paused: boolean;
  /** Aborted by `stop`, with a `CancelledError`. */
  readonly signal: AbortSignal;
  /** Calls back at every change; the returned function ends that. */
  readonly onChange: (listener: () => void) => () => void;
}

/** A control for one run. */
export function createTrainingControl(): TrainingControl {
  const listeners = new Set<() => void>();
  let paused = false;
  const stopping = new AbortController();
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };
  return {
    pause: () => {
      paused = !stopping.signal.aborted;
      tell();
    },
    resume: () => {
      paused = false;
      tell();
    },
    stop: () => {
      stopping.abort(cancelled());
      paused = false;
      tell();
    },
    get paused() {
      return paused;
    },
    signal: stopping.signal,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Turns of the event loop that a client's words need: its connection comes first, then what it says. */
const hearingTurns = 4;

/**
 * Lets requests be heard that came while a session ran, as the runtime holds the event loop for as long as it computes.
 * Awaited before every run of a session, so that no further one begins once a stop is known.
 */
export async function hearRequests(): Promise<void> {
  for (let turn = 0; turn < hearingTurns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves as soon as the run may take a step, or has been stopped. */
export function whenNotPaused(control: TrainingControl): Promise<void> {
  if (!control.paused) return Promise.resolve();
  return new Promise((resolve) => {
    const end = control.onChange(() => {
      if (control.paused) return;
      end();
      resolve();
    });
  });
}
