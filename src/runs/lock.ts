import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { link, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { whole } from '../protocol/bounded.ts';
import { cancelled, codeOf } from '../protocol/errors.ts';
import { processSchema } from '../protocol/runRecord.ts';
import { ownerState, thisProcess } from './owner.ts';
import { temporaryName } from './temporaryFiles.ts';

/** Milliseconds between two signs of life of a lock's holder, and after which one of another machine is given up. */
const heartbeat = 10_000;
export const patience = 60_000;
const poll = 50;
/** Largest lock that is read, in bytes. */
const longest = 4096;

/** A container's first process may hold a lock: nobody is signalled for what a lock says. */
const lockSchema = processSchema.extend({ pid: whole(1, 0xffff_ffff), token: z.uuid() });
type Content = z.infer<typeof lockSchema>;

/** A lock that this process has. */
export interface HeldLock {
  /** Whether the lock is still there and ours: not where its folder was moved, deleted or replaced. */
  readonly isHeld: () => boolean;
  readonly release: () => Promise<void>;
}

/**
 * Takes the lock file `path`, whose folder must exist. Undefined where another process has it. The lock of a process that
 * is gone is taken over at once; of several that try, one succeeds.
 */
export async function tryLock(path: string): Promise<HeldLock | undefined> {
  const content: Content = { ...thisProcess(), token: randomUUID() };
  for (;;) {
    const found = read(path);
    if (found !== undefined && !isAbandoned(found)) return undefined;
    const taken = found === undefined ? create(path, content) : takeOver(path, found.token, content);
    if (await taken) return holdLock(path, content);
    await delay(poll);
  }
}

/**
 * Runs `work` while this process alone has the lock file `path`; waits for another holder. Throws a `CancelledError` where
 * `signal` is aborted while it waits.
 */
export async function withFileLock<Result>(
  path: string,
  work: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  for (;;) {
    const lock = await tryLock(path);
    if (lock !== undefined) return work().finally(lock.release);
    if (signal?.aborted) throw cancelled();
    await delay(poll);
  }
}

/** Whether a process has the lock file `path`, as far as can be known: the lock of one that is gone is nobody's. */
export function isLocked(path: string): boolean {
  const found = read(path);
  return found !== undefined && !isAbandoned(found);
}

/** When the holder of a lock last gave a sign of life, in milliseconds since 1970; undefined where there is no lock. */
export function lastSignOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function holdLock(path: string, { token }: Content): HeldLock {
  const isHeld = () => {
    try {
      return read(path)?.token === token;
    } catch {
      return false;
    }
  };
  const timer = setInterval(() => {
    const now = new Date();
    // A lost sign of life only matters if they all are.
    utimes(path, now, now).catch(() => undefined);
  }, heartbeat);
  timer.unref();
  return {
    isHeld,
    release: async () => {
      clearInterval(timer);
      // Where it cannot be removed, it is that of a process which is gone soon.
      if (isHeld()) await rm(path, { force: true }).catch(() => undefined);
    },
  };
}

/**
 * Becomes the one that succeeds the holder `dead` of a lock. Who that is, is settled by a file which is named for the dead
 * holder's token and taken like any lock: only its holder may replace the lock, and only while the lock is still `dead`'s.
 * False where another one was quicker.
 */
async function takeOver(path: string, dead: string, content: Content): Promise<boolean> {
  const claim = `${path}.${dead}`;
  if (!(await create(claim, content))) {
    const other = read(claim);
    if (other === undefined || !isAbandoned(other) || !(await takeOver(claim, other.token, content))) return false;
  }
  try {
    if (read(path)?.token !== dead) return false;
    const temporary = await writeTemporary(path, content);
    await rename(temporary, path);
    return true;
  } finally {
    await rm(claim, { force: true });
  }
}

/** Makes the file, whole from its first moment on. False where it is there already. */
async function create(path: string, content: Content): Promise<boolean> {
  const temporary = await writeTemporary(path, content);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error;
    return await createWithoutLinks(path, content);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Where the disk has no links, another process may see the file for a moment before its content is there. */
async function createWithoutLinks(path: string, content: Content): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(content), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function writeTemporary(path: string, content: Content): Promise<string> {
  const temporary = temporaryName(path);
  await writeFile(temporary, JSON.stringify(content));
  return temporary;
}

interface Found {
  readonly token: string;
  /** Undefined in what an earlier version or a stranger wrote. */
  readonly holder: Content | undefined;
  readonly touched: number;
}

function read(path: string): Found | undefined {
  try {
    const status = statSync(path);
    const holder = status.isFile() && status.size <= longest ? parse(readFileSync(path, 'utf8')) : undefined;
    return { token: holder?.token ?? `unknown-${status.mtimeMs}`, holder, touched: status.mtimeMs };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): Content | undefined {
  try {
    return lockSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isAbandoned({ holder, touched }: Found): boolean {
  const state = holder === undefined ? 'elsewhere' : ownerState(holder);
  return state === 'gone' || (state === 'elsewhere' && Date.now() - touched > patience);
}
