import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { format, resolveConfig } from 'prettier';
import type { FigureSpec, Sample } from '../../../bench/benchCase.ts';
import { processorDetails } from '../../../bench/machine.ts';
import { figureResult, median, reachesGoal } from '../../../bench/result.ts';
import { machineFolder, readResults, rowOf, withSummary, withTables } from '../../../bench/table.ts';

const root = join(import.meta.dirname, '../../..');
const speed: FigureSpec = { key: 'speed', title: 'work', unit: 'images/s', better: 'more', goal: 2, operations: 10 };
const samples = (key: string, ...values: number[]): Sample[] => values.map((value) => ({ figures: { [key]: value } }));

describe('the table of measurements', () => {
  for (const [name, withNew] of [
    ['bench/README.md', withTables],
    ['README.md', withSummary],
  ] as const) {
    it(`stands in ${name} as the results have it`, async () => {
      const file = join(root, name);
      const text = readFileSync(file, 'utf8');
      const written = withNew(text, readResults(join(root, 'bench/results')));
      const formatted = await format(written, { ...(await resolveConfig(file)), parser: 'markdown' });
      assert.equal(formatted, text, 'npm run bench:table writes it');
    });
  }

  it('has a row of the short table measured on at least one machine', () => {
    const rows = withSummary(
      '<!-- bench: written by npm run bench:table --><!-- bench: end -->',
      readResults(join(root, 'bench/results')),
    );
    for (const row of rows.split('\n').filter((line) => line.startsWith('| ')))
      assert.match(row, /\d\.\d\d|our speed|---/);
  });

  it('keeps the results of each machine apart', () => {
    const machine = { cpu: 'AMD EPYC', cores: 2, memoryMebibytes: 2048, productRate: [] };
    const versions = { ours: { fivecrop: '1' }, peer: {} };
    const result = { name: 'scan', how: '', measured: '', machine, versions, unsetForPeer: [], rounds: 1, figures: [] };
    const other = { ...result, machine: { ...machine, cpu: 'Intel(R) Xeon(R) Processor' } };
    assert.equal(machineFolder(machine), 'amd-epyc');
    const details = processorDetails(
      'cpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 avx512f\n',
    );
    assert.equal(machineFolder({ ...machine, ...details }), 'amd-epyc-family-25-model-17-avx-512');
    assert.equal(machineFolder({ ...machine, ...processorDetails('flags : avx2') }), 'amd-epyc-avx2');
    assert.equal(machineFolder(other.machine), 'intel-xeon-processor');
    const text = withTables('<!-- bench: written by npm run bench:table -->\n<!-- bench: end -->', [result, other]);
    assert.match(text, /AMD EPYC, 2 cores, 2 GiB.*\n\n\| work .*\n.*\n\nMeasured on Intel.*\n\n\| work /);
  });

  it('compares each round with the best variant of the peer', () => {
    const peers = { slow: samples('speed', 9, 9, 9), fast: samples('speed', 10, 20, 40) };
    const result = figureResult(speed, { ours: samples('speed', 30, 30, 60), peers }, { productRate: [900, 1000] });
    assert.equal(result.peer, 'fast');
    assert.deepEqual(result.ratio, { median: 1.5, low: 1.5, high: 3, rounds: [3, 1.5, 1.5] });
    assert.equal(result.ofLimit, 0.3);
    assert.equal(reachesGoal(result), false);
    assert.match(rowOf(result), /1\.50 \(1\.50–3\.00\) \| ≥ 2, missed \| 30 %, peer 20 % \|$/);
  });

  it('compares what is computed in 8 bits with a product of bytes, and its peer with one in float32', () => {
    const spec: FigureSpec = { ...speed, operations: 20, peerOperations: 40, int8: true };
    const rates = { productRate: [1000, 800], int8ProductRate: [3000, 4000] };
    const peers = { torch: samples('speed', 5) };
    const result = figureResult(spec, { ours: samples('speed', 50), peers }, rates);
    assert.equal(result.ofLimit, 0.25);
    assert.equal(result.peerOfLimit, 0.2);
  });

  it('counts a shorter time and a smaller memory as better', () => {
    const time: FigureSpec = { key: 'time', title: 'work', unit: 's', better: 'less', goal: 3 };
    const faster = figureResult(
      time,
      { ours: samples('time', 1), peers: { torch: samples('time', 4) } },
      { productRate: [1] },
    );
    assert.equal(faster.ratio?.median, 4);
    assert.equal(reachesGoal(faster), true);
    const memory: FigureSpec = { key: 'memory', title: 'work', unit: 'MiB', better: 'less', goal: 1 };
    const larger = figureResult(
      memory,
      { ours: samples('memory', 3), peers: { torch: samples('memory', 2) } },
      { productRate: [1] },
    );
    assert.equal(larger.ratio?.median, 1.5);
    assert.equal(reachesGoal(larger), false);
  });

  it('judges a figure without a peer by itself', () => {
    const scan: FigureSpec = { key: 'scan', title: 'scan', unit: 's', better: 'less', goal: 10 };
    const result = figureResult(scan, { ours: samples('scan', 8, 9), peers: {} }, { productRate: [1] });
    assert.equal(result.ratio, undefined);
    assert.equal(reachesGoal(result), true);
    assert.match(rowOf(result), /\| 8\.50 s \| – \| – \| ≤ 10 s \| – \|$/);
  });

  it('judges by itself, beside a peer too, what the peer does not measure', () => {
    const memory: FigureSpec = { key: 'memory', title: 'work', unit: 'MiB', better: 'less', goal: 100, alone: true };
    const peers = { torch: samples('speed', 4) };
    const result = figureResult(memory, { ours: samples('memory', 90), peers }, { productRate: [1] });
    assert.equal(result.ratio, undefined);
    assert.match(rowOf(result), /\| 90\.0 MiB \| – \| – \| ≤ 100 MiB \| – \|$/);
    const compared: FigureSpec = { key: 'memory', title: 'work', unit: 'MiB', better: 'less', goal: 1 };
    assert.throws(
      () => figureResult(compared, { ours: samples('memory', 90), peers }, { productRate: [1] }),
      /did not measure memory/,
    );
  });

  it('takes the mean of the two middle values of an even number', () => {
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([3, 1, 2]), 2);
  });
});
