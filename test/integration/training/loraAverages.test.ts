import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runFiles } from '../../../src/protocol/runRecord.ts';
import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createTrainingControl } from '../../../src/ml/training/run/control.ts';
import { trainRun } from '../../../src/ml/training/run/trainRun.ts';
import { readCheckpoint } from '../../../src/ml/weights/checkpoint.ts';
import { readSafetensors } from '../../../src/ml/weights/safetensors.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';

const chooseEngine = () => Promise.resolve({ engine: onnxEngine, device: 'cpu', fallbacks: [] });

/** A transformer of timm's with two small blocks, of which the last answers the class token alone. */
const network = {
  kind: 'architecture',
  name: 'timm/vit_tiny_patch16_224.small',
  hub: {
    ...{ sha256: '0'.repeat(64), bytes: 1 },
    config: {
      ...{ architecture: 'vit_tiny_patch16_224', num_classes: 0, num_features: 12, global_pool: 'token' },
      model_args: { embed_dim: 12, depth: 2, num_heads: 2 },
      pretrained_cfg: { input_size: [3, 32, 32] as [3, number, number] },
    },
  },
} as const;

test('a run of adapters with averages goes on bit for bit, and its checkpoint holds the averages in the weights', async (t) => {
  const out = await temporaryFolder(t);
  const data = await drawTinyDataset(out);
  const first = await trainRun(tinyConfig(data, { network, epochs: 1 }), { out, name: 'weights', chooseEngine });
  const config = tinyConfig(data, {
    ...{ network: { ...network, weights: first.done.last ?? '' }, method: 'lora', loraRank: 2, emaDecay: 0.8 },
    ...{ epochs: 2, learningRate: 0.01 },
  });
  const last = (folder: string) => join(folder, runFiles.checkpoints, runFiles.last);
  const whole = await trainRun(config, { out, name: 'whole', chooseEngine });
  const control = createTrainingControl();
  const onEvent = (event: TrainingEvent) => {
    if (event.event === 'step' && event.step === 3) control.stop();
  };
  const stopped = await trainRun(config, { out, name: 'stopped', chooseEngine, control, onEvent });
  assert.equal(stopped.done.state, 'stopped');
  const resumed = await trainRun(config, { out, resume: stopped.folder, chooseEngine });
  assert.equal(resumed.done.state, 'finished');
  assert.deepEqual(lossesOf(resumed.folder), lossesOf(whole.folder));
  const { state, metadata } = await readCheckpoint(last(whole.folder));
  const { state: end } = await readCheckpoint(last(resumed.folder));
  for (const [tensor, { data: values }] of state) assert.deepEqual(end.get(tensor)?.data, values, tensor);

  const beside = await readSafetensors(join(whole.folder, runFiles.checkpoints, metadata.resume ?? ''));
  const numbers = (name: string) => Array.from(beside.state.get(name)?.data ?? [], Number);
  for (const module of ['blocks.0.mlp.fc1', 'blocks.1.attn.qkv']) {
    const [a, b] = [numbers(`${module}.lora_A.weight.average`), numbers(`${module}.lora_B.weight.average`)];
    assert.notDeepEqual(b, numbers(`${module}.lora_B.weight`));
    assert.ok(b.every((value) => value !== 0));
    const before = numbers(`${module}.weight`);
    const expected = before.map((value, index) => value + product(a, b, Math.floor(index / 12), index % 12));
    const held = Array.from(state.get(`${module}.weight`)?.data ?? [], Number);
    assert.ok(
      held.every((value, index) => Math.abs(value - (expected[index] ?? NaN)) < 1e-6),
      module,
    );
    assert.notDeepEqual(held, before);
  }
});

/** An element of B A for rank 2, alpha 2 and 12 inputs. */
function product(a: readonly number[], b: readonly number[], row: number, column: number): number {
  return [0, 1].reduce((sum, k) => sum + (b[row * 2 + k] ?? NaN) * (a[k * 12 + column] ?? NaN), 0);
}

function lossesOf(run: string): number[] {
  const lines = readFileSync(join(run, runFiles.metrics), 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const event = JSON.parse(line) as TrainingEvent;
    return event.event === 'step' ? [event.loss] : event.event === 'validation' ? [event.validLoss] : [];
  });
}
