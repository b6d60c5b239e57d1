import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { findLearningRate } from '../../../src/ml/training/run/findLearningRate.ts';
import { CancelledError, UserError } from '../../../src/protocol/errors.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';
import { watchDryRuns } from './watchDryRuns.ts';

const advice = 'begin with a lower one (--from)';
const chooseEngine = () => Promise.resolve({ engine: onnxEngine, device: 'cpu', fallbacks: [] });

test('a range test tries growing rates over several epochs, suggests one, and leaves nothing behind', async (t) => {
  const data = await drawTinyDataset(await temporaryFolder(t));
  const dryRunsLeft = await watchDryRuns(t);
  const config = tinyConfig(data, { epochs: 1 });
  const { points, steepest, least } = await findLearningRate(
    config,
    { from: 1e-5, to: 0.1, steps: 20 },
    { chooseEngine, advice },
  );
  assert.ok(points.length >= 10, `${points.length} rates were tried`);
  const rates = points.map(({ learningRate }) => learningRate);
  assert.deepEqual(
    rates,
    rates.toSorted((a, b) => a - b),
  );
  assert.ok(steepest !== undefined && steepest <= least);
  const again = await findLearningRate(config, { from: 1e-5, to: 0.1, steps: 20 }, { chooseEngine, advice });
  assert.deepEqual(again.points, points, 'the same steps give the same losses');
  assert.deepEqual(await dryRunsLeft(), []);
});

test('a range test that begins with too high a rate, or is stopped, says so', async (t) => {
  const config = tinyConfig(await drawTinyDataset(await temporaryFolder(t)), { optimizer: 'sgd' });
  await assert.rejects(
    findLearningRate(config, { from: 500, to: 1000, steps: 20 }, { chooseEngine, advice }),
    (error) => error instanceof UserError && error.message.includes('--from'),
  );
  const stopping = new AbortController();
  const range = { from: 1e-5, to: 0.1, steps: 20 };
  const stopped = { chooseEngine, advice, signal: stopping.signal, onPoint: () => stopping.abort() };
  await assert.rejects(findLearningRate(config, range, stopped), CancelledError);
});
