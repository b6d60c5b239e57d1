import { mkdir, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { userError } from '../../../protocol/errors.ts';
import type { JobRecord } from '../../../protocol/jobRecord.ts';
import type { RemoteState, RemoteStatus } from '../../../protocol/remoteMessages.ts';
import { runFiles } from '../../../protocol/runRecord.ts';
import { copyFolder, noteHeard } from '../../../runs/heard.ts';
import { type HeldLock, isLocked, tryLock } from '../../../runs/lock.ts';
import { readRunRecord, writeRunRecord } from '../../../runs/record.ts';
import type { JobRun } from '../target.ts';
import { createPublisher, type Translate } from './publishCopy.ts';
import type { RemoteHost } from './remoteHost.ts';

/** A number that no system gives a process. */
const noProcess = 0x7fff_ffff;

/** A run of a job on a remote host, by what its `job.json` says. */
export interface RemotePlace {
  readonly job: string;
  readonly run: number;
}

/** `0123456789abcdef_2`: the second run of the job. */
export function remotePlace({ job }: Pick<JobRecord, 'job'>): RemotePlace {
  const parts = /^(?<job>[0-9a-f]{16})_(?<run>\d{1,5})$/u.exec(job)?.groups;
  if (!parts) throw userError(`"${job}" is not the name of a job on another host: job.json was changed.`);
  return { job: parts['job'] ?? '', run: Number(parts['run']) };
}

/** What brings the folders of runs up to date with those on a host. */
export interface RunCopier {
  /** Copies what is new, and returns how each run does there, by its folder here. */
  readonly copy: () => Promise<ReadonlyMap<string, RemoteState>>;
  readonly close: () => Promise<void>;
}

/**
 * Opens the folders of runs of one host to be brought up to date. While it is open and a run trains there, the folder here
 * shows signs of life as one does whose run trains here, and nobody else may train in it.
 */
export function createCopier(host: RemoteHost, runs: readonly JobRun[]): RunCopier {
  const followed = new Map(runs.map((run) => [run.folder, followRun(host, run)]));
  const jobs = new Map<string, Map<number, JobRun>>();
  for (const run of runs) {
    const { job, run: number } = remotePlace(run.job);
    jobs.set(job, (jobs.get(job) ?? new Map<number, JobRun>()).set(number, run));
  }
  return {
    copy: async () => {
      const states = new Map<string, RemoteState>();
      for (const [job, members] of jobs) {
        for (const run of members.values()) followed.get(run.folder)?.refuseOther();
        const status = await host.status({ ask: 'look', job, runs: [...members.keys()] });
        for (const each of status.runs) {
          const run = members.get(each.run);
          if (run === undefined) continue;
          await followed.get(run.folder)?.copy(status, each);
          states.set(run.folder, each.state);
        }
      }
      return states;
    },
    close: async () => {
      for (const each of followed.values()) await each.close();
    },
  };
}

function followRun(host: RemoteHost, { folder, job }: JobRun) {
  const place = remotePlace(job);
  const remote = `jobs/${place.job}/snapshot/${place.run}/`;
  const copy = join(folder, copyFolder, 'copy');
  let lock: HeldLock | undefined;
  let publish: (() => Promise<void>) | undefined;
  let settled = false;
  let copied: string | undefined;
  const lockFile = join(folder, runFiles.lock);
  const other = () => userError(`Another process copies or trains ${basename(folder)}.`);
  return {
    /** Before the host is asked, since a look replaces what another process is copying. */
    refuseOther: () => {
      if (!settled && lock === undefined && isLocked(lockFile)) throw other();
    },
    copy: async (status: RemoteStatus, { state, mark }: RemoteStatus['runs'][number]) => {
      if (settled) return;
      lock ??= await tryLock(lockFile);
      if (lock === undefined) throw other();
      await refuseOwn(folder);
      await noteHeard(folder);
      if (state === 'waiting') return;
      if (state !== 'gone' && (mark === undefined || mark !== copied)) {
        await mkdir(copy, { recursive: true });
        await refuseLink(folder, copy);
        await host.pull(remote, `${copy}/`);
        publish ??= await createPublisher({
          ...{ copy, run: folder, translate: translation(status, place, folder) },
          marks: join(folder, copyFolder, 'published.json'),
        });
        await publish();
        copied = mark;
      }
      if (state === 'training') return;
      if (state !== 'gone') await host.ask({ ask: 'copied', job: place.job, runs: [place.run] });
      settled = true;
      if (state === 'over') await rm(join(folder, copyFolder), { recursive: true, force: true });
      else await writeLost(folder);
      await lock.release();
    },
    close: async () => {
      await lock?.release();
    },
  };
}

/** A record that names a process which is not there is that of a run that was broken off. */
async function writeLost(folder: string): Promise<void> {
  const record = await readRunRecord(folder);
  await writeRunRecord(folder, { ...record, process: { pid: noProcess, started: record.updated } });
}

/** Throws a user error where the run goes on on this machine by now. */
async function refuseOwn(folder: string): Promise<void> {
  const { process: owner } = await readRunRecord(folder);
  if (owner?.scope !== undefined || owner?.birth !== undefined)
    throw userError(`${basename(folder)} was continued on this machine, so nothing is copied into its folder.`);
}

/** Throws a user error where the copy, in which rsync deletes, lies elsewhere: a run's folder may come from anybody. */
async function refuseLink(folder: string, copy: string): Promise<void> {
  if ((await realpath(copy)) !== join(await realpath(folder), copyFolder, 'copy'))
    throw userError(`${join(folder, copyFolder)} is a link to another folder: remove it.`);
}

/** Paths of the host in JSON texts become those of this machine. No other text holds the names of its folders. */
function translation({ root, brought }: RemoteStatus, { job, run }: RemotePlace, folder: string): Translate {
  const places = [
    [`${root}/jobs/${job}/runs/${run}`, folder] as const,
    ...brought.map(({ remote, local }) => [`${root}/${remote}`, local] as const),
  ].map(([there, here]) => [inJson(there), inJson(here)] as const);
  return (text) => places.reduce((translated, [there, here]) => translated.replaceAll(there, () => here), text);
}

function inJson(path: string): string {
  return JSON.stringify(path).slice(1, -1);
}
