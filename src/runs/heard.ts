import { statSync } from 'node:fs';
import { mkdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobRecord } from '../protocol/jobRecord.ts';

/** Folder in a run's folder with the copy of a run on a machine that shares no disk; the rest is brought up to date with it. */
export const copyFolder = '.remote';

/** Notes that the machine which trains a run was heard of just now. */
export async function noteHeard(folder: string): Promise<void> {
  const path = join(folder, copyFolder);
  await mkdir(path, { recursive: true });
  const now = new Date();
  await utimes(path, now, now);
}

/** When the machine of a job was heard of last, in milliseconds since 1970: at the latest when the job was handed over. */
export function lastHeard(folder: string, { submitted }: Pick<JobRecord, 'submitted'>): number {
  const heard = statSync(join(folder, copyFolder), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const handedOver = Date.parse(submitted);
  return Math.max(heard, Number.isNaN(handedOver) ? 0 : handedOver);
}
