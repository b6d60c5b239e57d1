import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { estimateRun } from '../../../src/ml/training/run/estimateRun.ts';
import { CancelledError } from '../../../src/protocol/errors.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';
import { watchDryRuns } from './watchDryRuns.ts';

const chooseEngine = () => Promise.resolve({ engine: onnxEngine, device: 'cpu', fallbacks: [] });

test('an estimate counts the steps and validations that the run would have, and leaves nothing behind', async (t) => {
  // 21 images in batches of 5 are 5 steps an epoch; a validation every 3 steps, and one at the end of each epoch.
  const data = await drawTinyDataset(await temporaryFolder(t));
  const dryRunsLeft = await watchDryRuns(t);
  const config = tinyConfig(data, { epochs: 4 });
  const found = await estimateRun(config, { chooseEngine });
  assert.equal(found.steps, 20);
  assert.equal(found.firstSteps, 5);
  assert.equal(found.validations, 4 + 5);
  const { setupSeconds, firstStepSeconds, laterStepSeconds, firstValidationSeconds, laterValidationSeconds } = found;
  const sum =
    setupSeconds + 5 * firstStepSeconds + 15 * laterStepSeconds + firstValidationSeconds + 8 * laterValidationSeconds;
  assert.ok(Math.abs(found.seconds - sum) < 1e-9 * sum, `${found.seconds} and ${sum}`);
  assert.ok(found.memoryBytes > 50e6 && found.memoryBytes < 20e9, `${found.memoryBytes} bytes`);
  assert.deepEqual(await dryRunsLeft(), []);
});

test('an estimate that is cancelled ends after the step', async (t) => {
  const config = tinyConfig(await drawTinyDataset(await temporaryFolder(t)));
  const stopping = new AbortController();
  const wish = { chooseEngine, signal: stopping.signal, onStep: () => stopping.abort() };
  await assert.rejects(estimateRun(config, wish), CancelledError);
});
