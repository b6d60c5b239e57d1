import { mkdtemp, readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { processExists } from '../../../runs/owner.ts';

const prefix = 'fivecrop-ssh-';

/**
 * A folder of this process's own for the sockets of a connection. Empty ones of processes that were killed are removed: their
 * ssh has taken its socket away.
 */
export async function makeConnectionFolder(parent = tmpdir()): Promise<string> {
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = new RegExp(`^${prefix}(\\d+)-`, 'u').exec(name)?.[1];
    if (pid === undefined || processExists(Number(pid))) continue;
    await rmdir(join(parent, name)).catch(() => undefined);
  }
  return mkdtemp(join(parent, `${prefix}${process.pid}-`));
}
