import { setTimeout as delay } from 'node:timers/promises';
import { cancelled, messageOf } from '../../../protocol/errors.ts';
import { isConnectionLost } from './connectionError.ts';
import { lookInterval } from './lookInterval.ts';

/** Milliseconds at most between two tries. */
const longest = 60_000;

export interface Patience {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds after which a host that stays out of reach is given up, as of now; never without it. */
  readonly limit?: () => number;
}

/**
 * Does `work`, once more after a while for as long as its host is out of reach, and throws what it throws then once that is
 * too long. Throws a `CancelledError` at an abort.
 */
export async function patiently<Result>(
  work: () => Promise<Result>,
  { say, signal, limit }: Patience,
): Promise<Result> {
  let broken: number | undefined;
  for (let wait = lookInterval(); ; wait = Math.min(2 * wait, longest)) {
    try {
      const result = await work();
      if (broken !== undefined) say('Connected again.');
      return result;
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      const now = performance.now();
      if (now - (broken ?? now) >= (limit?.() ?? Infinity)) throw error;
      if (broken === undefined) say(`${messageOf(error)} The training goes on; trying again.`);
      broken ??= now;
      await pause(wait, signal);
    }
  }
}

/** Waits. Throws a `CancelledError` at an abort. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) throw cancelled();
}
