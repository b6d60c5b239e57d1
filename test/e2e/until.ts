import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds that anything may take: far more than on an idle machine, because tests run on busy ones too. */
export const patience = 120_000;

/** Waits until something is so. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${patience / 1000} seconds in vain: ${what}.`);
    await delay(100);
  }
}
