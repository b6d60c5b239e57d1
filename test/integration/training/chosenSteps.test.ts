import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runFiles } from '../../../src/protocol/runRecord.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { trainRun } from '../../../src/ml/training/run/trainRun.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';

const chooseEngine = () => Promise.resolve({ engine: onnxEngine, device: 'cpu', fallbacks: [] });

test('what a run chose for auto stands in its record as numbers and in its log, and a resume keeps it', async (t) => {
  const out = await temporaryFolder(t);
  const data = await drawTinyDataset(out);
  const given = { ...tinyConfig(data, { epochs: 1 }), batchSize: 'auto', learningRate: 'auto' } as const;
  const { folder } = await trainRun(given, { out, chooseEngine });
  const { config, progress } = await readRunRecord(folder);
  assert.deepEqual([config.batchSize, config.learningRate, progress?.stepsPerEpoch], [16, 0.00071, 2]);
  const log = await readFile(join(folder, runFiles.metrics), 'utf8');
  assert.match(log, /Chose batches of 16 images and the learning rate 0\.00071 for 21 training images/);
  const resumed = await trainRun({ ...given, epochs: 2 }, { out, resume: folder, chooseEngine });
  assert.equal(resumed.done.state, 'finished');
  const { config: kept } = await readRunRecord(folder);
  assert.deepEqual([kept.batchSize, kept.learningRate], [16, 0.00071]);
});
