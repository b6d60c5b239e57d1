import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

/*
 * How fast a full training step is beside torch's, in the same run: ours and the peer take turns, each in a process of
 * its own. `npm run bench` writes bench/results/trainingStep.json and prints the ratios. The peer needs Debian's
 * python3-torch and python3-torchvision, or any other python3 that has them (PYTHON names it).
 */
interface Run {
  readonly seconds: readonly number[];
  readonly peakBytes: number;
  readonly version?: string;
}

const cases = [
  { architecture: 'resnet18', batch: 32 },
  { architecture: 'densenet169', batch: 16 },
];
const rounds = 3;
const steps = 5;
const threads = Math.min(2, cpus().length);
const python = process.env['PYTHON'] ?? '/usr/bin/python3';
const here = import.meta.dirname;

function run(command: string, args: readonly string[]): Run {
  return JSON.parse(execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) as Run;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const results = cases.map(({ architecture, batch }) => {
  const size = [architecture, String(batch), String(steps)];
  const ours: Run[] = [];
  const peers: Record<'default' | 'channels_last', Run[]> = { default: [], channels_last: [] };
  for (let round = 0; round < rounds; round++) {
    ours.push(run(process.execPath, ['--import', 'tsx', join(here, 'ourStep.ts'), ...size]));
    for (const layout of ['default', 'channels_last'] as const) {
      peers[layout].push(run(python, [join(here, 'peers/trainingStep.py'), ...size, layout, String(threads)]));
    }
  }
  const speed = (runs: readonly Run[]) => runs.map(({ seconds }) => batch / median(seconds));
  const own = speed(ours);
  const beside = (layout: 'default' | 'channels_last') => {
    const theirs = speed(peers[layout]);
    const ratios = own.map((value, round) => value / (theirs[round] ?? Number.NaN));
    return { imagesPerSecond: theirs, ratio: median(ratios), ratios, peakBytes: peers[layout][0]?.peakBytes };
  };
  return {
    architecture,
    batch,
    imagesPerSecond: own,
    peakBytes: ours[0]?.peakBytes,
    torch: { version: peers.default[0]?.version, default: beside('default'), channelsLast: beside('channels_last') },
  };
});

const record = { cpu: cpus()[0]?.model, threads, node: process.version, rounds, steps, results };
mkdirSync(join(here, 'results'), { recursive: true });
writeFileSync(join(here, 'results/trainingStep.json'), `${JSON.stringify(record, null, 2)}\n`);
for (const { architecture, batch, imagesPerSecond, torch } of results) {
  const format = (ratios: readonly number[]) => ratios.map((ratio) => ratio.toFixed(2)).join(', ');
  console.log(
    `${architecture} batch ${batch}: ${median(imagesPerSecond).toFixed(1)} images/s; of torch ${torch.version ?? ''}: ` +
      `${torch.default.ratio.toFixed(2)} (${format(torch.default.ratios)}), channels_last ` +
      `${torch.channelsLast.ratio.toFixed(2)} (${format(torch.channelsLast.ratios)})`,
  );
}
