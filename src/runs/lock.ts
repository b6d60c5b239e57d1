import { hostname } from 'node:os';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { cancelled, codeOf } from '../protocol/errors.ts';
import { processExists } from './owner.ts';

const heartbeatMilliseconds = 5_000;
/** A lock that has not been touched for so long belongs to a process that is gone. */
const staleMilliseconds = 30_000;
const pollMilliseconds = 200;

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const [{ mtimeMs }, owner] = await Promise.all([stat(path), readFile(path, 'utf8')]);
    const [pid = '', host = ''] = owner.split(' ');
    if (host === hostname() && Number(pid) > 0 && !processExists(Number(pid))) return true;
    return Date.now() - mtimeMs > staleMilliseconds;
  } catch {
    // It has just been given back.
    return false;
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, `${process.pid} ${hostname()}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    if (await isAbandoned(path)) await rm(path, { force: true });
    return false;
  }
}

/**
 * Runs `work` while this process alone holds the lock file `path`, whose folder must exist; waits for another holder,
 * and takes over from one that is gone. Throws a `CancelledError` where `signal` is aborted while it waits.
 */
export async function withFileLock<Result>(
  path: string,
  work: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  while (!(await tryLock(path))) {
    if (signal?.aborted) throw cancelled();
    await delay(pollMilliseconds);
  }
  const heartbeat = setInterval(() => {
    // A lost heartbeat only matters if they all are.
    utimes(path, new Date(), new Date()).catch(() => undefined);
  }, heartbeatMilliseconds);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}
