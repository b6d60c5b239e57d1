import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSampleSettings } from '../../../src/extension/commands/sampleSettings.ts';
import { choicesFor, configFrom, firstChoices } from '../../../src/extension/commands/trainingChoices.ts';
import { drawSampleDataset } from '../../../src/ml/data/drawSampleDataset.ts';

const settings = { defaultNetwork: 'resnet18', batchSize: 16 };
const machine = { engine: 'onnx', device: 'cpu', cacheMegabytes: 512 } as const;

test('a sample is offered with the settings that lie in it, which nothing else gets', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-sample-'));
  try {
    const data = join(folder, 'sample');
    await drawSampleDataset(data, 0);
    const sample = await readSampleSettings(data);
    assert.equal(sample?.data, data);
    assert.equal(await readSampleSettings(folder), undefined);
    const first = { ...firstChoices(undefined, settings), data: '/photos', epochs: 9 };
    const choices = choicesFor(data, first, sample, settings);
    const config = configFrom(choices, machine);
    assert.deepEqual({ ...sample, ...machine, pinnedImages: config.pinnedImages }, config);
    assert.deepEqual([config.method, config.imageSize, config.resize], ['scratch', 64, 72]);
    assert.equal(choicesFor(data, { ...choices, epochs: 3 }, sample, settings).epochs, 3);
    assert.equal(configFrom({ ...choices, method: 'head' }, machine).imageSize, undefined);
    const next = choicesFor('/photos', choices, undefined, settings);
    assert.deepEqual(next, { ...firstChoices(undefined, settings), data: '/photos' });
    assert.equal(choicesFor('/photos/2', first, undefined, settings).epochs, 9);
  } finally {
    await rm(folder, { recursive: true });
  }
});
