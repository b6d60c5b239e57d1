import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { batchScript } from '../../../src/ml/submit/batchScript.ts';

const skip = process.platform !== 'linux' && 'machines of Slurm run Linux';

/** Takes its time until it listens, and ends with a code of its own. */
const slowToListen = `
  console.log('starts');
  while (!require('fs').existsSync(process.argv[1] + '/go'));
  process.on('SIGUSR2', () => console.log('saves'));
  process.on('SIGTERM', () => process.exit(75));
  setInterval(() => undefined, 1000);
`;

test(
  'a signal that comes while Fivecrop starts is heard once it listens, and its exit code is that of the job',
  { skip },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'fivecrop-batch-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'job.sh');
    await writeFile(file, batchScript([process.execPath, '-e', slowToListen], [folder], []));
    const job = spawn('bash', [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said: string[] = [];
    createInterface({ input: job.stdout }).on('line', (line) => {
      said.push(line);
      job.kill(line === 'starts' ? 'SIGUSR2' : 'SIGTERM');
      if (line === 'starts') void writeFile(join(folder, 'go'), '');
    });
    const [code] = (await once(job, 'close')) as [number | null];
    assert.deepEqual(said, ['starts', 'saves']);
    assert.equal(code, 75);
  },
);
