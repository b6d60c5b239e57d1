import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

/** Waits for something that happens elsewhere; `said` is shown where it does not within three minutes. */
export async function until(condition: () => Promise<boolean>, said: () => string = () => ''): Promise<void> {
  const end = Date.now() + 180_000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `nothing happened for three minutes: ${said()}`);
    await delay(50);
  }
}
