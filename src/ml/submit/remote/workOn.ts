import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { readJob, remoteRun } from './job.ts';

/** Where pretrained weights lie in our folder, seen from that of a job. */
const weightsFolder = '../../weights';

/** Has the runs of a job trained in their order, as many at a time as it says, each by a process of its own. */
export async function workOn(job: string): Promise<void> {
  const { runs, parallel } = await readJob(job);
  const script = fileURLToPath(new URL('remote.mjs', import.meta.url));
  const env = { FIVECROP_WEIGHTS: join(job, weightsFolder), ...process.env };
  let next = 1;
  const work = async () => {
    while (next <= runs) {
      const child = spawn(process.execPath, [script, job, remoteRun(job, next++)], {
        stdio: ['ignore', 'inherit', 'inherit'],
        env,
      });
      await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
}
