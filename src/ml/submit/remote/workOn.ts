import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { readJob, remoteRun } from './job.ts';
import { trainOne } from './trainOne.ts';

/** Where pretrained weights lie in our folder, seen from that of a job. */
const weightsFolder = '../../weights';

/** Has the runs of a job trained in their order, as many at a time as it says; of several, each by a process of its own. */
export async function workOn(job: string): Promise<void> {
  const { runs, parallel } = await readJob(job);
  const script = fileURLToPath(new URL('remote.mjs', import.meta.url));
  process.env['FIVECROP_WEIGHTS'] ??= join(job, weightsFolder);
  if (runs === 1) return trainOne(job, remoteRun(job, 1));
  let next = 1;
  const work = async () => {
    while (next <= runs) {
      const child = spawn(process.execPath, [script, job, remoteRun(job, next++)], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
}
