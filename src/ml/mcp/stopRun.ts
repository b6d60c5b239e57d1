import { basename } from 'node:path';
import process from 'node:process';
import { userError } from '../../protocol/errors.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isVerified } from '../../runs/owner.ts';

/** Asks the process of a live run to finish its step, to save and to end, as Ctrl-C does. Throws a user error if it cannot be known or asked. */
export function stopRun({ folder, record }: StoredRun): Promise<void> {
  const { process: owner } = record;
  // The number may have gone to another process, and Windows would end it in the middle of its step.
  if (owner === undefined || process.platform === 'win32' || !isVerified(owner)) {
    throw userError(`The process of ${basename(folder)} cannot be reached from here: stop it where it was started.`);
  }
  process.kill(owner.pid, 'SIGINT');
  return Promise.resolve();
}
