import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import { type FileHandle, mkdir, readdir, readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { messageOf, usageError, userError } from '../../protocol/errors.ts';
import { runFiles, runRecordSchema, runRecordVersion, type RunRecord } from '../../protocol/runRecord.ts';
import { trainingEventSchema, type RunState, type TrainingEvent } from '../../protocol/trainingEvents.ts';
import { writeAtomically } from '../weights/writeAtomically.ts';
import { codeOf, diskError } from './diskError.ts';

const liveStates: ReadonlySet<RunState> = new Set(['preparing', 'running', 'paused', 'stopping']);
const lineFeed = 0x0a;

/** A run's folder in the hands of the process that trains. */
export interface RunFolder {
  readonly path: string;
  readonly name: string;
  readonly checkpoints: string;
  /** Lines that lie in `metrics.jsonl`. */
  readonly events: number;
  readonly record: RunRecord;
  /** Appends one event to `metrics.jsonl`, at once and in order. Throws a user error where the disk does not take it. */
  append(event: TrainingEvent): void;
  /** Replaces parts of the record and rewrites `run.json` whole: temporary name, flushed, renamed. */
  update(changes: Partial<RunRecord>): Promise<void>;
}

/** `<network>-<method>-<date>`: the name of a run that was given none. */
export function defaultRunName(network: string, method: string, now: Date): string {
  const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, '0'));
  return `${network}-${method}-${day.join('-')}`.replace(/[^\w.-]+/gu, '_');
}

/** Throws a usage error where a name could not be the name of a folder on every system. */
export function checkRunName(name: string): void {
  const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu;
  // eslint-disable-next-line no-control-regex -- control characters are among what Windows refuses
  const forbidden = /[<>:"/\\|?*\u0000-\u001f]|^\.|[. ]$/u;
  if (name === '' || name.length > 100 || reserved.test(name) || forbidden.test(name)) {
    throw usageError(
      `"${name}" cannot be the name of a run: use up to 100 letters, digits, spaces, "-", "_" and ".", without a leading dot.`,
    );
  }
}

/**
 * Makes a folder of its own for a new run under `out`: `name`, or `name-2`, `name-3`, ... where that is taken, also by a
 * process that starts at the same moment.
 */
export async function createRunFolder(
  out: string,
  name: string,
  record: Omit<RunRecord, 'version' | 'name' | 'updated'>,
): Promise<RunFolder> {
  checkRunName(name);
  const parent = resolve(out);
  try {
    await mkdir(parent, { recursive: true });
    for (let counter = 1; ; counter++) {
      const unique = counter === 1 ? name : `${name}-${counter}`;
      const path = join(parent, unique);
      if (!(await makeFolder(path))) continue;
      await mkdir(join(path, runFiles.checkpoints));
      return await ownFolder(path, { ...record, version: runRecordVersion, name: unique, updated: record.created });
    }
  } catch (error) {
    throw diskError(error, parent);
  }
}

/**
 * Takes a run's folder over to go on in it. A line of `metrics.jsonl` that a crash cut off is removed. Throws a user
 * error where another process still trains in it.
 */
export async function reopenRunFolder(path: string): Promise<RunFolder> {
  const record = await readRunRecord(path);
  if (stateOf(record) !== 'broken off' && liveStates.has(record.state)) {
    throw userError(`The run ${record.name} is still training. Stop it first, or give the new run a name of its own.`);
  }
  return ownFolder(resolve(path), record);
}

async function ownFolder(path: string, first: RunRecord): Promise<RunFolder> {
  const metrics = join(path, runFiles.metrics);
  let record = first;
  let events = repairMetrics(metrics);
  let written = writeRecord(path, record);
  await written;
  return {
    path,
    name: record.name,
    checkpoints: join(path, runFiles.checkpoints),
    get events() {
      return events;
    },
    get record() {
      return record;
    },
    append: (event) => {
      try {
        appendFileSync(metrics, `${JSON.stringify(event)}\n`);
      } catch (error) {
        throw diskError(error, metrics);
      }
      events++;
    },
    update: async (changes) => {
      record = { ...record, ...changes, updated: new Date().toISOString() };
      // One after the other: they share a temporary name, and the newest has to stay.
      written = written.catch(() => undefined).then(() => writeRecord(path, record));
      await written;
    },
  };
}

async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Cuts an unfinished last line off and returns the number of lines. */
function repairMetrics(file: string): number {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
  const end = content.lastIndexOf(lineFeed) + 1;
  if (end < content.length) truncateSync(file, end);
  let lines = 0;
  for (let index = 0; index < end; index++) lines += Number(content[index] === lineFeed);
  return lines;
}

async function writeRecord(folder: string, record: RunRecord): Promise<void> {
  const content = `${JSON.stringify(record, undefined, 2)}\n`;
  const write = async (handle: FileHandle) => {
    await handle.writeFile(content);
  };
  await writeAtomically([{ path: join(folder, runFiles.record), write }]);
}

/** Reads and checks `run.json`. Throws a user error where there is none, or none that this version understands. */
export async function readRunRecord(folder: string): Promise<RunRecord> {
  const file = join(folder, runFiles.record);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw userError(`${file} cannot be read (${messageOf(error)}). Choose the folder of a run.`, error);
  }
  const version = typeof content === 'object' && content !== null && 'version' in content ? content.version : undefined;
  if (typeof version === 'number' && version > runRecordVersion) {
    throw userError(`${file} was written by a newer Fivecrop (format ${version}). Update Fivecrop to open this run.`);
  }
  const result = runRecordSchema.safeParse(content);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw userError(`${file} is not the record of a run: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`);
  }
  return result.data;
}

/** What has become of a run: its recorded state, or `broken off` where that is a live one and its process is gone. */
export type DerivedRunState = RunState | 'broken off';

export function stateOf(record: RunRecord): DerivedRunState {
  if (!liveStates.has(record.state)) return record.state;
  return record.process && processLives(record.process) ? record.state : 'broken off';
}

function processLives(owner: NonNullable<RunRecord['process']>): boolean {
  // A number from before the last start of the machine may belong to somebody else by now.
  const machineStarted = Date.now() - uptime() * 1000;
  if (Date.parse(owner.started) < machineStarted - 60_000) return false;
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** One run as a list shows it. */
export interface RunSummary {
  /** Absolute. */
  readonly folder: string;
  readonly record: RunRecord;
  readonly state: DerivedRunState;
}

export interface RunList {
  /** Newest first. */
  readonly runs: readonly RunSummary[];
  /** Folders that have a `run.json` which cannot be understood, with the reason. */
  readonly unreadable: readonly { readonly folder: string; readonly reason: string }[];
}

/** All runs whose folders lie directly in `out`; none where there is no such folder. */
export async function listRuns(out: string): Promise<RunList> {
  const runs: RunSummary[] = [];
  const unreadable: { folder: string; reason: string }[] = [];
  for (const folder of await runFoldersIn(resolve(out))) {
    try {
      const record = await readRunRecord(folder);
      runs.push({ folder, record, state: stateOf(record) });
    } catch (error) {
      unreadable.push({ folder, reason: messageOf(error) });
    }
  }
  runs.sort((a, b) => b.record.created.localeCompare(a.record.created) || a.folder.localeCompare(b.folder));
  return { runs, unreadable };
}

async function runFoldersIn(out: string): Promise<string[]> {
  try {
    const folders = (await readdir(out, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    const withRecord: string[] = [];
    for (const { name } of folders) {
      const names = await readdir(join(out, name)).catch((): string[] => []);
      if (names.includes(runFiles.record)) withRecord.push(join(out, name));
    }
    return withRecord;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw userError(`The runs in ${out} cannot be listed: ${messageOf(error)}.`, error);
  }
}

/**
 * The events of a run, in order. A last line that is still being written is left out; a line that is no event of this
 * version is skipped.
 */
export async function readEvents(folder: string): Promise<TrainingEvent[]> {
  const file = join(folder, runFiles.metrics);
  const content = await readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw userError(`${file} cannot be read: ${messageOf(error)}.`, error);
  });
  return content.split('\n').slice(0, -1).flatMap(parseEvent);
}

function parseEvent(line: string): TrainingEvent[] {
  try {
    const result = trainingEventSchema.safeParse(JSON.parse(line));
    return result.success ? [result.data] : [];
  } catch {
    return [];
  }
}

/** The folder of the run that a checkpoint belongs to, where it lies in one. */
export async function runOfCheckpoint(checkpoint: string): Promise<string | undefined> {
  const parent = resolve(checkpoint, '..');
  if (basename(parent) !== runFiles.checkpoints) return undefined;
  const folder = resolve(parent, '..');
  return (await readdir(folder)).includes(runFiles.record) ? folder : undefined;
}
