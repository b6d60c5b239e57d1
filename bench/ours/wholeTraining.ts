import { readdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainingEventSchema } from '../../src/protocol/trainingEvents.ts';
import { report } from './report.ts';
import { watchCommand } from './watchCommand.ts';

/* `fivecrop train` from random weights, from its start to its last checkpoint. Arguments: network, data, epochs, images a batch. */
const [network = '', data = '', epochs = '2', batch = '32'] = process.argv.slice(2);
const out = await mkdtemp(join(tmpdir(), 'fivecrop-bench-'));
const images = readdirSync(join(data, 'train'), { recursive: true, withFileTypes: true }).filter((entry) =>
  entry.isFile(),
).length;

/** Seconds at which the first epoch began and at which each was validated and saved. */
const ended: number[] = [];
try {
  const settings = ['--arch', network, '--method', 'scratch', '--epochs', epochs, '--batch-size', batch];
  const { seconds: whole, memory } = await watchCommand(
    ['train', data, ...settings, '--validate-every', '100000', '--out', out, '--json'],
    (line, seconds) => {
      const event = trainingEventSchema.parse(JSON.parse(line));
      if (event.event === 'state' && event.state === 'running' && ended.length === 0) ended[0] = seconds;
      // A checkpoint is the last that an epoch does; `best` may come before `last`.
      if (event.event === 'checkpoint') ended[Math.round(event.epoch)] = seconds;
    },
  );
  const lasted = ended.slice(1).map((end, epoch) => end - (ended[epoch] ?? 0));
  report({ whole, epoch: images / Math.min(...lasted), memory });
} finally {
  rmSync(out, { recursive: true, force: true });
}
