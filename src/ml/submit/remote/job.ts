import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, relative, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { codeOf, userError } from '../../../protocol/errors.ts';
import {
  type Brought,
  isUndone,
  type RemoteJob,
  remoteJobSchema,
  type RemoteState,
} from '../../../protocol/remoteMessages.ts';
import { processSchema } from '../../../protocol/runRecord.ts';
import { writeTextAtomically } from '../../../runs/atomicFile.ts';
import { readStoredRun } from '../../../runs/list.ts';
import { withFileLock } from '../../../runs/lock.ts';
import { birthOf, type Owner, ownerState, thisProcess } from '../../../runs/owner.ts';
import { readRunRecord, writeRunRecord } from '../../../runs/record.ts';
import { isLive } from '../../../runs/state.ts';
import { temporaryName } from '../../../runs/temporaryFiles.ts';

/** Names in the folder of a job. */
export const jobFiles = {
  job: 'job.json',
  /** The process that trains its runs. */
  process: 'process.json',
  output: 'output.txt',
  runs: 'runs',
  /** Empty files that are named for the runs whose ends were copied. */
  copied: 'copied',
} as const;

/** The folder of a run of a job. */
export function remoteRun(job: string, run: number): string {
  return join(job, jobFiles.runs, String(run));
}

/** Throws a user error where there is no such job. */
export async function readJob(folder: string): Promise<RemoteJob> {
  const text = await readFile(join(folder, jobFiles.job), 'utf8').catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw userError(`the job is not there any more: ${folder} was removed.`);
  });
  return remoteJobSchema.parse(JSON.parse(text));
}

/** What a process waits for on its standard input before it trains: until then its job has not been started. */
export const startWord = 'start';

/** Nothing is started while somebody removes, and the other way round. */
export function alone<Result>(root: string, work: () => Promise<Result>): Promise<Result> {
  return withFileLock(join(root, 'store.lock'), work);
}

/** Has a process train the runs of a job that outlives the connection it is started over; only the first time it is asked. */
export function startJob(root: string, folder: string, content: RemoteJob): Promise<void> {
  return alone(root, async () => {
    if (existsSync(join(folder, jobFiles.job))) return;
    const missing = content.brought.find(({ remote }) => !existsSync(join(root, remote)));
    if (missing) throw userError(`${missing.local} was removed there meanwhile: try again.`);
    for (let run = 1; run <= content.runs; run++) await placeRun(root, remoteRun(folder, run), content.brought);
    const child = await spawnWorker(folder);
    try {
      // Whoever finds the job finds its process too.
      await writeTextAtomically(join(folder, jobFiles.process), JSON.stringify(ownerOf(child.pid ?? 0)));
      await writeTextAtomically(
        join(folder, jobFiles.job),
        JSON.stringify({ ...content, programs: programsHere(root) }),
      );
      child.stdin?.end(startWord);
    } catch (error) {
      child.stdin?.destroy();
      throw error;
    }
  });
}

async function spawnWorker(folder: string): Promise<ChildProcess> {
  const output = openSync(join(folder, jobFiles.output), 'a');
  try {
    const child = spawn(process.execPath, [fileURLToPath(new URL('remote.mjs', import.meta.url)), folder], {
      cwd: folder,
      detached: true,
      stdio: ['pipe', output, output],
    });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.stdin?.on('error', () => undefined);
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

/** The folders below ours that this process runs from. */
export function programsHere(root: string): string[] {
  return [process.execPath, fileURLToPath(import.meta.url)]
    .map((path) => relative(root, path).split(sep)[0] ?? '')
    .filter((name) => name !== '' && name !== '..');
}

/** Removes what lies in our folder: first its name, so that nobody finds half of it. */
export async function removeFrom(root: string, path: string): Promise<void> {
  const trash = temporaryName(join(root, 'trash'));
  try {
    await rename(join(root, path), trash);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  await rm(trash, { recursive: true, force: true });
}

/** The record of a run that was brought names paths of the machine where it came from: those that were brought lie here. */
async function placeRun(root: string, run: string, brought: readonly Brought[]): Promise<void> {
  const record = await readRunRecord(run);
  const places = new Map(brought.map(({ local, remote }) => [local, join(root, remote)]));
  const here = <Path extends string | undefined>(path: Path) =>
    path === undefined ? path : (places.get(path) ?? path);
  const { data, classNames, network } = record.config;
  const placed =
    network.kind === 'backbone'
      ? { ...network, file: here(network.file) }
      : { ...network, weights: here(network.weights) };
  const config = { ...record.config, data: here(data), classNames: here(classNames), network: placed };
  await writeRunRecord(run, { ...record, config });
}

/** Whether anything trains a run of a job, or is going to. Throws a user error where only another host can tell. */
export async function isAlive(job: string, { runs }: Pick<RemoteJob, 'runs'>): Promise<boolean> {
  for (let run = 1; run <= runs; run++) if (isUndone(await runState(job, run))) return true;
  return false;
}

/** How many runs of a job have not been copied since they ended. */
export async function uncopiedRuns(job: string, { runs }: Pick<RemoteJob, 'runs'>): Promise<number> {
  const copied = new Set(await readdir(join(job, jobFiles.copied)).catch((): string[] => []));
  return Array.from({ length: runs }, (_, index) => String(index + 1)).filter((run) => !copied.has(run)).length;
}

/** How a run of a job does. */
export async function runState(job: string, run: number): Promise<RemoteState> {
  const works = await isWorking(job);
  const { state, record } = await readStoredRun(remoteRun(job, run));
  if (record.process !== undefined && isLive(state)) return 'training';
  if (['finished', 'stopped', 'failed'].includes(state)) return 'over';
  return works && record.process === undefined ? 'waiting' : 'lost';
}

function ownerOf(pid: number): Owner {
  const { scope } = thisProcess();
  const birth = birthOf(pid);
  return {
    ...{ pid, started: new Date().toISOString(), host: hostname() },
    ...(scope === undefined ? {} : { scope }),
    ...(birth === undefined ? {} : { birth }),
  };
}

/** Hosts that share a home folder see each other's jobs, but not each other's processes. */
async function isWorking(job: string): Promise<boolean> {
  const text = await readFile(join(job, jobFiles.process), 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  const owner = processSchema.parse(JSON.parse(text));
  const state = ownerState(owner);
  if (state === 'elsewhere')
    throw userError(
      `the run was started on ${owner.host ?? 'another host'}, and this is ${hostname()}: name that one.`,
    );
  return state === 'here';
}
