import { createHash } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { birthOf, type Owner, ownerState, thisProcess } from './owner.ts';

const pattern = /\.(?<pid>\d{1,10})-(?<scope>[0-9a-f]{8})-(?<birth>[0-9a-f]{8})\.tmp$/u;
/** As earlier versions named them. */
const formerPattern = /\.(?:json|safetensors)\.(?<pid>\d{1,10})\.tmp$/u;

/** Milliseconds after which a temporary file of another machine is nobody's any more. */
const patience = 24 * 60 * 60 * 1000;

let counter = 0;

/** A name beside `path` under which this process may write what is to become `path`. No other call gives the same. */
export function temporaryName(path: string): string {
  const here = thisProcess();
  return `${path}.${counter++}.${here.pid}-${digest(scopeOf(here))}-${digest(here.birth)}.tmp`;
}

/**
 * Removes what processes that are gone have left unfinished in the folder of a run, or, in a folder of the user's own, of
 * the files named in `only`; what cannot be removed stays.
 */
export function sweepTemporaryFiles(folder: string, only?: readonly string[]): Promise<void> {
  const isOurs = (name: string) => only?.some((file) => name.startsWith(`${file}.`)) ?? true;
  return sweep(folder, (name) => (isOurs(name) ? (pattern.exec(name) ?? formerPattern.exec(name)) : null));
}

/** Removes the folders of runs that processes which are gone were about to make in `parent`. */
export function sweepStagedFolders(parent: string): Promise<void> {
  return sweep(parent, (name) => (name.startsWith('.') ? pattern.exec(name) : null));
}

async function sweep(folder: string, match: (name: string) => RegExpExecArray | null): Promise<void> {
  for (const name of await readdir(folder).catch((): string[] => [])) {
    const writer = match(name)?.groups;
    const path = join(folder, name);
    if (writer === undefined || !(await isAbandoned(path, writer))) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isAbandoned(path: string, { pid, scope, birth }: Partial<Record<string, string>>): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return false;
  const writer: Owner = { pid: Number(pid), started: status.mtime.toISOString() };
  if (scope === undefined) return ownerState(writer) === 'gone';
  if (scope !== digest(scopeOf(thisProcess()))) return Date.now() - status.mtimeMs > patience;
  const now = birthOf(writer.pid);
  return ownerState(writer) === 'gone' || (now !== undefined && digest(now) !== birth);
}

function scopeOf({ scope, host }: Owner): string | undefined {
  return scope ?? host;
}

function digest(text: string | undefined): string {
  return createHash('sha256').update(text ?? '').digest('hex').slice(0, 8);
}
