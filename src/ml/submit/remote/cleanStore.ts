import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../protocol/errors.ts';
import { plural } from '../../../protocol/plural.ts';
import type { RemoteItem, RemoteJob } from '../../../protocol/remoteMessages.ts';
import { isAlive, jobFiles, programsHere, readJob, removeFrom, uncopiedRuns } from './job.ts';

/** Milliseconds within which what was not finished may still be on its way. */
const onItsWay = 60 * 60 * 1000;

/**
 * What lies in our folder on this host, each thing with why it stays, and with `remove` without what nothing needs. A job
 * needs its programs, data and weights until nobody trains it; the command that answers stays for the next time. Runs that
 * have ended stay until they were copied, or go with `uncopied`.
 */
export async function cleanStore(
  root: string,
  { remove, uncopied }: { readonly remove: boolean; readonly uncopied: boolean },
): Promise<readonly RemoteItem[]> {
  const found: RemoteItem[] = [];
  const add = async (path: string, needed: string | undefined) => {
    const bytes = await sizeOf(join(root, path), new Set());
    found.push({ path, bytes, ...(needed === undefined ? {} : { needed }) });
  };
  const needs = new Set<string>();
  let lives = false;
  for (const name of await idsIn(join(root, 'jobs'))) {
    const path = `jobs/${name}`;
    const { needed, job } = await needOfJob(join(root, path), uncopied);
    if (job?.lives === true) {
      lives = true;
      for (const need of needsOf(job)) needs.add(need);
    }
    await add(path, needed);
  }
  const trains = 'a run that trains needs it';
  for (const folder of ['data', 'features'])
    for (const name of await idsIn(join(root, folder))) {
      const path = `${folder}/${name}`;
      await add(path, needs.has(path) ? trains : undefined);
    }
  for (const name of await namesIn(join(root, 'weights'))) await add(`weights/${name}`, lives ? trains : undefined);
  const here = new Set(programsHere(root));
  for (const name of await namesIn(root)) {
    if (/^(?:command|node)-/u.test(name))
      await add(name, needs.has(name) ? trains : here.has(name) ? 'the next run needs it' : undefined);
    else if (name.startsWith('incoming-'))
      await add(name, (await isNew(join(root, name))) ? 'it is being brought' : undefined);
    else if (name.startsWith('trash')) await add(name, undefined);
  }
  if (remove) for (const { path, needed } of found) if (needed === undefined) await removeFrom(root, path);
  return found;
}

interface KnownJob extends RemoteJob {
  readonly lives: boolean;
}

async function needOfJob(
  folder: string,
  uncopied: boolean,
): Promise<{ readonly needed: string | undefined; readonly job?: KnownJob }> {
  const names = new Set(await namesIn(folder));
  if (!names.has(jobFiles.job)) return { needed: (await isNew(folder)) ? 'it is being brought' : undefined };
  let job: RemoteJob;
  try {
    job = await readJob(folder);
  } catch (error) {
    return { needed: `it cannot be understood: ${messageOf(error)}` };
  }
  try {
    if (await isAlive(folder, job)) return { needed: 'it trains', job: { ...job, lives: true } };
  } catch (error) {
    return { needed: messageOf(error).replace(/\.$/u, ''), job: { ...job, lives: true } };
  }
  if (uncopied) return { needed: undefined, job: { ...job, lives: false } };
  const missing = await uncopiedRuns(folder, job);
  const needed =
    missing === 0 ? undefined : `${plural(missing, 'run')} ended and ${missing === 1 ? 'was' : 'were'} not copied back`;
  return { needed, job: { ...job, lives: false } };
}

/** What a job that lives needs, by paths below our folder. */
function needsOf({ programs, brought, features }: RemoteJob): string[] {
  return [
    ...(programs ?? []),
    ...brought.map(({ remote }) => remote.split('/').slice(0, 2).join('/')),
    ...(features === undefined ? [] : [`features/${features}`]),
  ];
}

/** What is called as we call it: a folder there may be a link of the user's to one that holds other things too. */
async function idsIn(folder: string): Promise<string[]> {
  return (await namesIn(folder)).filter((name) => /^[0-9a-f]{16}$/u.test(name));
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch((): string[] => [])).sort();
}

async function isNew(path: string): Promise<boolean> {
  const { mtimeMs = 0 } = (await stat(path).catch(() => undefined)) ?? {};
  return Date.now() - mtimeMs < onItsWay;
}

/** Bytes on the disk, each file once however many names it has. */
async function sizeOf(path: string, seen: Set<bigint>): Promise<number> {
  const status = await lstat(path, { bigint: true }).catch(() => undefined);
  if (status === undefined || seen.has(status.ino)) return 0;
  seen.add(status.ino);
  if (!status.isDirectory()) return Number(status.size);
  let bytes = 0;
  for (const name of await namesIn(path)) bytes += await sizeOf(join(path, name), seen);
  return bytes;
}
