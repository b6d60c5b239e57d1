import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { drawTinyDataset, temporaryFolder } from '../../unit/training/tinyDataset.ts';
import { fivecrop } from './runCommand.ts';

test('a sweep trains the runs of its trials, ends the ones behind, and lists them best first', async (t) => {
  const folder = await temporaryFolder(t);
  const data = await drawTinyDataset(folder);
  const space = {
    ...{ network: { kind: 'architecture', name: 'ConvNet1' }, method: 'scratch', device: 'cpu' },
    ...{ imageSize: 32, resize: 36, hidden: [8], epochs: 2, learningRate: [0.001, 0.002], sampler: 'grid' },
    halving: { first: 1, factor: 2 },
  };
  await writeFile(join(folder, 'rates.fivecrop.json'), JSON.stringify(space));
  const { code, stdout, stderr } = await fivecrop(['sweep', 'rates.fivecrop.json', data, '--json'], { cwd: folder });
  assert.equal(code, 0, stderr);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const standings = lines.filter(({ event }) => event === 'standing');
  assert.deepEqual(
    standings.map(({ state, epochs }) => [state, epochs]),
    [
      ['finished', 2],
      ['behind', 1],
    ],
  );
  const rates = standings.map(({ settings }) => (settings as { learningRate: number }).learningRate);
  assert.deepEqual(rates.sort(), [0.001, 0.002]);
  assert.deepEqual((await readdir(join(folder, 'runs'))).sort(), ['rates', 'rates-1', 'rates-2']);
  for (const run of ['rates-1', 'rates-2'])
    assert.ok(existsSync(join(folder, 'runs', run, 'checkpoints', 'best.safetensors')), run);
  const status = await fivecrop(['sweep', 'status', 'runs/rates', '--format', 'markdown'], { cwd: folder });
  assert.equal(status.code, 0, status.stderr);
  assert.match(
    status.stdout,
    /^# rates\n[\s\S]*\| finished \| rates-[12] \|[\s\S]*from 12 trials with a score; there are 2/u,
  );
});
