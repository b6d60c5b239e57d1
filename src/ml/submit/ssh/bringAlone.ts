import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '../../../runs/lock.ts';
import { cacheFolder } from '../../cache/cacheFolder.ts';

/**
 * Does `work`, which brings `what` to a host, while no other process of this machine brings the same: an rsync that deletes
 * takes away what another one has still to rename. Throws a `CancelledError` where `signal` is aborted while it waits.
 */
export async function bringAlone(
  host: string,
  what: string,
  work: () => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const folder = join(cacheFolder(), 'bringing');
  await mkdir(folder, { recursive: true });
  const name = createHash('sha256').update(`${host}\n${what}`).digest('hex').slice(0, 16);
  await withFileLock(join(folder, `${name}.lock`), work, signal);
}
