import { setTimeout as delay } from 'node:timers/promises';
import process from 'node:process';
import { userError } from '../../protocol/errors.ts';
import { isVerified } from '../../runs/owner.ts';
import { readRunRecord, writeRunRecord } from '../../runs/record.ts';
import { isLive, stateOf } from '../../runs/state.ts';

/** Milliseconds within which a killed process is gone. */
const patience = 5000;

/**
 * Ends the process of a live run at once, in the middle of what it does; its last checkpoint stays. The process can write
 * nothing any more, so the record is written for it. Throws a user error where it is not certain which process it is,
 * unless `isOwn` says that this window has started it.
 */
export async function endNow(folder: string, isOwn: boolean): Promise<void> {
  const record = await readRunRecord(folder);
  const { process: owner, name } = record;
  if (owner === undefined || !isLive(stateOf(record))) return;
  if (!isOwn && !isVerified(owner)) {
    throw userError(`${name} cannot be ended from here; it stops as soon as its step is done.`);
  }
  process.kill(owner.pid, 'SIGKILL');
  const killed = Date.now();
  while (isLive(stateOf(record))) {
    if (Date.now() - killed > patience) throw userError(`The process ${owner.pid} of ${name} does not end.`);
    await delay(20);
  }
  const last = await readRunRecord(folder);
  if (stateOf(last) !== 'broken off') return;
  const reason = 'Stopped at once, in the middle of a step.';
  await writeRunRecord(folder, { ...last, state: 'stopped', reason, updated: new Date().toISOString() });
}
