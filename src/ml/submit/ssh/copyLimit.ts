import { lstat, opendir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { usageError, type UserError, userError } from '../../../protocol/errors.ts';

/** Environment variable that says how many gigabytes are taken of one run. */
export const copyLimitVariable = 'FIVECROP_COPY_LIMIT';

const gigabyte = 1e9;
const usualGigabytes = 20;
/** A run has a few dozen. */
const mostFiles = 10_000;
/** What is left of the disk for others. */
const leastFree = 0.25 * gigabyte;
/** Milliseconds between two looks at what has come. */
const look = 200;

/** Most that is taken of one run on a remote host. */
export interface CopyLimit {
  readonly bytes: number;
  readonly files: number;
  /** Bytes of the disk that stay free. */
  readonly free: number;
}

/** The limit that the environment says, or the usual one. Throws a usage error where it is no number. */
export function copyLimitFrom(environment: NodeJS.ProcessEnv = process.env): CopyLimit {
  const given = environment[copyLimitVariable];
  const gigabytes = given === undefined || given === '' ? usualGigabytes : Number(given);
  if (!(gigabytes > 0 && gigabytes < Infinity))
    throw usageError(
      `${copyLimitVariable} is "${given ?? ''}": give a number of gigabytes, such as ${usualGigabytes}.`,
    );
  return { bytes: gigabytes * gigabyte, files: mostFiles, free: leastFree };
}

/**
 * Does `work`, which fills `folder` with what a host sends, and ends it by its signal as soon as that is more than `limit`:
 * the host is not taken at its word about sizes. What came is removed then, and a user error thrown that says the limit.
 */
export async function withinLimit(
  folder: string,
  host: string,
  limit: CopyLimit,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const ending = new AbortController();
  const looking = new AbortController();
  let refusal: UserError | undefined;
  const check = async () => {
    refusal ??= await refusalOf(folder, host, limit);
    if (refusal !== undefined) ending.abort();
  };
  const watch = async () => {
    while (!looking.signal.aborted && refusal === undefined) {
      await delay(look, undefined, { signal: looking.signal }).catch(() => undefined);
      await check();
    }
  };
  const watching = watch();
  try {
    await work(ending.signal);
  } catch (error) {
    if (refusal === undefined) throw error;
  } finally {
    looking.abort();
    await watching;
  }
  if (refusal === undefined) return;
  await rm(folder, { recursive: true, force: true });
  throw refusal;
}

async function refusalOf(folder: string, host: string, limit: CopyLimit): Promise<UserError | undefined> {
  // Of a folder that is gone meanwhile, the work itself will tell.
  const disk = await statfs(folder).catch(() => undefined);
  const sent = await measure(folder, limit);
  if (sent.files > limit.files)
    return userError(`${host} sends more than ${limit.files} files for one run, which none has: what came is removed.`);
  if (sent.bytes > limit.bytes)
    return userError(
      `${host} sends more than ${limit.bytes / gigabyte} GB for one run, so what came is removed: if that is right, raise ${copyLimitVariable} (in GB).`,
    );
  if (disk && disk.bavail * disk.bsize < limit.free)
    return userError(`The disk of ${folder} is nearly full, so nothing more is copied from ${host}: free some space.`);
  return undefined;
}

/** Files and bytes in a folder, counted until they are too many. */
async function measure(folder: string, limit: CopyLimit): Promise<{ readonly files: number; readonly bytes: number }> {
  let [files, bytes] = [0, 0];
  const walk = async (parent: string): Promise<void> => {
    const entries = await opendir(parent).catch(() => undefined);
    if (entries === undefined) return;
    for await (const entry of entries) {
      const path = join(parent, entry.name);
      files++;
      if (!entry.isDirectory()) bytes += (await lstat(path).catch(() => undefined))?.size ?? 0;
      if (files > limit.files || bytes > limit.bytes) return;
      if (entry.isDirectory()) await walk(path);
      if (files > limit.files || bytes > limit.bytes) return;
    }
  };
  await walk(folder);
  return { files, bytes };
}
