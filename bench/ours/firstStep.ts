import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { trainingEventSchema } from '../../src/protocol/trainingEvents.ts';
import { median } from '../result.ts';
import { linkedImages } from './smallImages.ts';
import { report } from './report.ts';
import { peakOf } from './watchCommand.ts';

const [classes = 1, images = 1] = process.argv.slice(2).map(Number);
const command = join(import.meta.dirname, '../../dist/ml/fivecrop.mjs');

/** Starts a training and ends it ten seconds after its first step; seconds to that step, and peak memory until the end. */
async function firstStep(data: string, out: string): Promise<{ seconds: number; memory: number }> {
  const began = performance.now();
  const network = ['--arch', 'ConvNet1', '--method', 'scratch', '--image-size', '32', '--resize', '36'];
  // A validation of so many images would keep the next step, and with it the end, waiting.
  network.push('--validate-every', '100000');
  const child = spawn(process.execPath, [command, 'train', data, ...network, '--out', out, '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  let seconds = Number.NaN;
  let memory = Number.NaN;
  for await (const line of createInterface(child.stdout)) {
    if (trainingEventSchema.parse(JSON.parse(line)).event !== 'step') continue;
    const now = (performance.now() - began) / 1000;
    if (Number.isNaN(seconds)) seconds = now;
    memory = peakOf(child.pid);
    if (now > seconds + 10) break;
  }
  child.kill('SIGKILL');
  await ended;
  return { seconds, memory };
}

const { folder, remove } = await linkedImages(classes, images);
const out = mkdtempSync(join(tmpdir(), 'fivecrop-bench-runs-'));
try {
  // The first start of all tries the machine's devices, once a machine; it is not counted.
  await firstStep(folder, out);
  const runs = [await firstStep(folder, out), await firstStep(folder, out), await firstStep(folder, out)];
  const middle = (key: 'seconds' | 'memory') => median(runs.map((run) => run[key]));
  report({ seconds: middle('seconds'), memory: middle('memory') });
} finally {
  remove();
  rmSync(out, { recursive: true, force: true });
}
