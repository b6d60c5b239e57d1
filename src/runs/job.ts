import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type JobRecord, jobRecordSchema, jobRecordVersion } from '../protocol/jobRecord.ts';
import { runFiles } from '../protocol/runRecord.ts';
import { writeTextAtomically } from './atomicFile.ts';
import { type FileLimit, readBoundedJson } from './boundedFile.ts';
import { parseVersioned } from './versionedJson.ts';

const limit: FileLimit = { what: 'the record of a job', bytes: 64 * 1024 };

/** Whether a run was given to a scheduler or to another machine. */
export function hasJob(folder: string): boolean {
  return existsSync(join(folder, runFiles.job));
}

/** The job of a run; undefined where it has none. Throws a user error where `job.json` is not what this version understands. */
export async function readJobRecord(folder: string): Promise<JobRecord | undefined> {
  if (!hasJob(folder)) return undefined;
  const file = join(folder, runFiles.job);
  return parseVersioned(file, await readBoundedJson(file, limit), {
    version: jobRecordVersion,
    schema: jobRecordSchema,
    use: 'open this run',
    misfit: 'is not the record of a job',
    remedy: 'restore or delete it',
  });
}

/** Takes note that no job trains the run any more: its process is here. */
export async function forgetJob(folder: string): Promise<void> {
  if (hasJob(folder)) await rm(join(folder, runFiles.job), { force: true });
}

/** Replaces `job.json` whole. Throws a user error where the disk refuses. */
export function writeJobRecord(folder: string, job: JobRecord): Promise<void> {
  return writeTextAtomically(join(folder, runFiles.job), `${JSON.stringify(job, undefined, 2)}\n`);
}
