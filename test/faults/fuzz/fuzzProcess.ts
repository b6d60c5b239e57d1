import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { CancelledError, UserError } from '../../../src/protocol/errors.ts';
import { makeSamples } from './samples.ts';
import { targets } from './targets.ts';

/*
 * Gives mutants of one kind to their reader, one after the other, and reports each as it begins and ends:
 * argv is the target's name, the seed, the first mutant and the one behind the last.
 */
const [name = '', seed = '', first = '', end = ''] = process.argv.slice(2);
const mostMemory = 2 ** 30;

/** A thread looks at the memory, as the main one may be in native code. */
const watcher = `setInterval(() => { if (process.memoryUsage.rss() > ${mostMemory}) process.kill(process.pid, 'SIGKILL'); }, 10);`;
new Worker(watcher, { eval: true, execArgv: [], env: {} }).unref();

export interface FuzzReport {
  readonly mutant: number;
  /** Absent as it begins. */
  readonly outcome?: 'accepted' | 'refused' | 'fault';
  readonly message?: string;
}

function report(message: FuzzReport): void {
  process.send?.(message);
}

const target = targets.find((each) => each.name === name);
if (!target) throw new Error(`there is no target named ${name}`);
const samples = await makeSamples();
const folder = await mkdtemp(join(tmpdir(), 'fivecrop-fuzz-'));
try {
  for (let mutant = Number(first); mutant < Number(end); mutant++) {
    report({ mutant });
    const bytes = target.mutant(createRandom(Number(seed), name, mutant), samples);
    try {
      await target.use(bytes, folder, samples);
      report({ mutant, outcome: 'accepted' });
    } catch (error) {
      const known = error instanceof UserError || error instanceof CancelledError;
      const message = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
      report({ mutant, outcome: known ? 'refused' : 'fault', message });
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.disconnect();
