import { setTimeout as delay } from 'node:timers/promises';
import { cancelled } from '../../protocol/errors.ts';
import { readStoredRun } from '../../runs/list.ts';
import { isLive } from '../../runs/state.ts';

/** The state of a run once no process trains it; says so where it has to wait. Throws a `CancelledError` at an abort. */
export async function whenNotTrained(
  folder: string,
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<string> {
  let said = false;
  for (;;) {
    const { state } = await readStoredRun(folder);
    if (!isLive(state)) return state;
    if (!said) say(`Another process trains ${folder}; waiting for it.`);
    said = true;
    await delay(1000, undefined, { signal }).catch(() => {
      throw cancelled();
    });
  }
}
