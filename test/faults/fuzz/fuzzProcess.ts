import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { CancelledError, UserError } from '../../../src/protocol/errors.ts';
import { fuzzSeconds } from './fuzzSeconds.ts';
import { makeSamples } from './samples.ts';
import { targets } from './targets.ts';

/*
 * Gives mutants of the kinds that it is sent to their readers, one after the other, and reports each as it begins and
 * ends: argv is the seed and the number of mutants. It ends when nobody sends anything any more.
 */
const [seed = '', end = ''] = process.argv.slice(2);
const mostMemory = 2 ** 30;
/** Processor time of a mutant in microseconds, by which a busy machine is as good as an idle one. */
const mostTime = fuzzSeconds * 1e6;

/** When the present mutant began, in processor time; the thread that watches it looks here. */
const began = new Float64Array(new SharedArrayBuffer(8));
/** A thread looks at memory and time, as the main one may be in native code. */
const watcher = `
  const { workerData: began } = require('node:worker_threads');
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    if (process.memoryUsage.rss() > ${mostMemory}) process.kill(process.pid, 'SIGKILL');
    if (user + system > began[0] + ${mostTime}) process.kill(process.pid, 'SIGTERM');
  }, 10);`;
const begin = () => {
  const { user, system } = process.cpuUsage();
  began[0] = user + system;
};

export interface FuzzReport {
  /** The number of all mutants where all are through. */
  readonly mutant: number;
  /** Absent as it begins. */
  readonly outcome?: 'accepted' | 'refused' | 'fault';
  readonly message?: string;
}

/** The mutants of a target from one on. */
export interface FuzzWish {
  readonly name: string;
  readonly first: number;
}

function report(message: FuzzReport): void {
  process.send?.(message);
}

const samples = await makeSamples();
begin();
new Worker(watcher, { eval: true, execArgv: [], env: {}, workerData: began }).unref();
const folder = await mkdtemp(join(tmpdir(), 'fivecrop-fuzz-'));
process.once('disconnect', () => rmSync(folder, { recursive: true, force: true }));

async function fuzz({ name, first }: FuzzWish): Promise<void> {
  const target = targets.find((each) => each.name === name);
  if (!target) throw new Error(`there is no target named ${name}`);
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  for (let mutant = first; mutant < Number(end); mutant++) {
    report({ mutant });
    begin();
    const bytes = target.mutant(createRandom(Number(seed), name, mutant), samples);
    try {
      await target.use(bytes, own, samples);
      report({ mutant, outcome: 'accepted' });
    } catch (error) {
      const known = error instanceof UserError || error instanceof CancelledError;
      const message = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
      report({ mutant, outcome: known ? 'refused' : 'fault', message });
    }
  }
  report({ mutant: Number(end) });
}

process.on('message', (wish) => void fuzz(wish as FuzzWish));
