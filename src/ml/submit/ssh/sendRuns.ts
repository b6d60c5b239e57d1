import { randomBytes } from 'node:crypto';
import { type JobRecord, jobRecordVersion } from '../../../protocol/jobRecord.ts';
import type { RemoteJob, RemoteRequest } from '../../../protocol/remoteMessages.ts';
import { writeJobRecord } from '../../../runs/job.ts';
import { readRunRecord } from '../../../runs/record.ts';
import type { DataBringer } from './bringData.ts';
import { remotePlace } from './copyRuns.ts';
import type { RemoteHost } from './remoteHost.ts';

/** Of a run's folder, what is of this machine alone. */
const notBrought = ['.*', 'run.lock*', 'control.json', 'job.json', '*.tmp'].map((name) => `--exclude=${name}`);

/** A name for a job. */
export function newJob(): string {
  return randomBytes(8).toString('hex');
}

/** The request that has runs trained which lie on a host; it may be asked again where the answer was lost. */
export type StartRequest = Extract<RemoteRequest, { ask: 'start' }>;

/**
 * Brings the folders of runs that wait, and what they read, to a host as one job, and names it in their `job.json`. Returns
 * what has it started.
 */
export async function sendRuns(
  host: RemoteHost,
  folders: readonly string[],
  bring: DataBringer,
  { job, ...how }: { readonly job: string } & Pick<RemoteJob, 'parallel' | 'untilEpoch' | 'features'>,
): Promise<StartRequest> {
  const records = await Promise.all(folders.map(readRunRecord));
  const brought = await bring(records.map(({ config }) => config));
  await host.ask({ ask: 'prepare', folders: folders.map((_, index) => `jobs/${job}/runs/${index + 1}`) });
  for (const [index, folder] of folders.entries())
    await host.push(`${folder}/`, `jobs/${job}/runs/${index + 1}/`, notBrought);
  for (const [index, folder] of folders.entries())
    await writeJobRecord(folder, {
      ...{ version: jobRecordVersion, scheduler: 'ssh', job: `${job}_${index + 1}`, host: host.name },
      submitted: new Date().toISOString(),
    });
  return { ask: 'start', job, content: { ...how, runs: folders.length, brought: [...brought] } };
}

/**
 * Tells the host of a run that it will be handed over once more, so that a job that was on its way there is not started beside.
 * Throws a user error where the run trains.
 */
export async function releaseRun(host: RemoteHost, job: Pick<JobRecord, 'job'>): Promise<void> {
  await host.ask({ ask: 'release', ...remotePlace(job) });
}
