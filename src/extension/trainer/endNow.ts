import { setTimeout as delay } from 'node:timers/promises';
import process from 'node:process';
import * as l10n from '@vscode/l10n';
import { userError } from '../../protocol/errors.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { isVerified } from '../../runs/owner.ts';
import { readRunRecord } from '../../runs/record.ts';
import { reopenRunFolder } from '../../runs/runFolder.ts';
import { isLive, stateOf } from '../../runs/state.ts';
import { elsewhereRefusal, trainsElsewhere } from './elsewhere.ts';

/** Milliseconds within which a killed process is gone. */
const patience = 5000;

/**
 * Ends the process of a live run at once, in the middle of what it does; its last checkpoint stays. The process can write
 * nothing any more, so how it ended is written for it. Throws a user error where it is not certain which process it is,
 * unless `isOwn` says that this window has started it.
 */
export async function endNow(folder: string, isOwn: boolean): Promise<void> {
  const record = await readRunRecord(folder);
  const { process: owner } = record;
  const title = runTitle(record.name);
  if (owner === undefined || !isLive(stateOf(folder, record))) return;
  if (trainsElsewhere(record)) {
    throw userError(
      elsewhereRefusal(record) ?? l10n.t('{0} trains on another machine: it stops as soon as its step is done.', title),
    );
  }
  if (!isOwn && !isVerified(owner)) {
    throw userError(l10n.t('{0} cannot be ended from here; it stops as soon as its step is done.', title));
  }
  process.kill(owner.pid, 'SIGKILL');
  const killed = Date.now();
  while (isLive(stateOf(folder, record))) {
    if (Date.now() - killed > patience)
      throw userError(l10n.t('The process {0} of {1} does not end.', owner.pid, title));
    await delay(20);
  }
  await writeEnd(folder);
}

/** Unless the process has done it just before. */
async function writeEnd(folder: string): Promise<void> {
  if (stateOf(folder, await readRunRecord(folder)) !== 'broken off') return;
  const run = await reopenRunFolder(folder);
  try {
    const reason = 'Stopped at once, in the middle of a step.';
    const time = new Date().toISOString();
    const step = run.record.progress?.step ?? 0;
    await run.update({ state: 'stopped', reason });
    run.append({ event: 'state', time, state: 'stopped' }, { event: 'done', time, state: 'stopped', step, reason });
  } finally {
    await run.close();
  }
}
