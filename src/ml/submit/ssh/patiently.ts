import { setTimeout as delay } from 'node:timers/promises';
import { cancelled, messageOf } from '../../../protocol/errors.ts';
import { isConnectionLost } from './connectionError.ts';
import { lookInterval } from './lookInterval.ts';

/** Milliseconds at most between two tries. */
const longest = 60_000;

export interface Patience {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Does `work`, once more after a while for as long as its host is out of reach. Throws a `CancelledError` at an abort. */
export async function patiently<Result>(work: () => Promise<Result>, { say, signal }: Patience): Promise<Result> {
  let broken = false;
  for (let wait = lookInterval(); ; wait = Math.min(2 * wait, longest)) {
    try {
      const result = await work();
      if (broken) say('Connected again.');
      return result;
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      if (!broken) say(`${messageOf(error)} The training goes on; trying again.`);
      broken = true;
      await pause(wait, signal);
    }
  }
}

/** Waits. Throws a `CancelledError` at an abort. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) throw cancelled();
}
