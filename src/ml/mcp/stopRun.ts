import { basename } from 'node:path';
import process from 'node:process';
import { userError } from '../../protocol/errors.ts';
import { requestControl } from '../../runs/control.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isVerified } from '../../runs/owner.ts';
import { sshTarget } from '../submit/ssh/sshTarget.ts';

/** Asks a live run to finish its step, to save and to end: its process, as Ctrl-C does, or else by its folder. Throws a user error if neither can be. */
export async function stopRun(run: StoredRun): Promise<void> {
  const { folder, record, job } = run;
  const { process: owner, heedsControl } = record;
  // The number may have gone to another process, and Windows would end it in the middle of its step.
  if (owner !== undefined && process.platform !== 'win32' && isVerified(owner)) {
    process.kill(owner.pid, 'SIGINT');
    return;
  }
  // Its folder here is a copy, at which nobody looks.
  if (owner === undefined && job?.scheduler === 'ssh') return sshTarget.cancel([{ ...run, job }]);
  if (heedsControl === true) return requestControl(folder, 'stop');
  throw userError(`The process of ${basename(folder)} cannot be reached from here: stop it where it was started.`);
}
