import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { codeOf, userError } from '../../../protocol/errors.ts';
import { type Brought, type RemoteJob, remoteJobSchema, type RemoteState } from '../../../protocol/remoteMessages.ts';
import { processSchema } from '../../../protocol/runRecord.ts';
import { writeTextAtomically } from '../../../runs/atomicFile.ts';
import { readStoredRun } from '../../../runs/list.ts';
import { birthOf, type Owner, ownerState, thisProcess } from '../../../runs/owner.ts';
import { readRunRecord, writeRunRecord } from '../../../runs/record.ts';
import { isLive } from '../../../runs/state.ts';

/** Names in the folder of a job. */
export const jobFiles = {
  job: 'job.json',
  /** The process that trains its runs. */
  process: 'process.json',
  output: 'output.txt',
  runs: 'runs',
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

/** Has a process train the runs of a job that outlives the connection it is started over. */
export async function startJob(root: string, folder: string, content: RemoteJob): Promise<void> {
  for (let run = 1; run <= content.runs; run++) await placeRun(root, remoteRun(folder, run), content.brought);
  await writeTextAtomically(join(folder, jobFiles.job), JSON.stringify(content));
  const output = openSync(join(folder, jobFiles.output), 'a');
  try {
    const child = spawn(process.execPath, [fileURLToPath(new URL('remote.mjs', import.meta.url)), folder], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', output, output],
    });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    await writeTextAtomically(join(folder, jobFiles.process), JSON.stringify(ownerOf(child.pid ?? 0)));
  } finally {
    closeSync(output);
  }
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
