import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnxEngineAside } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { trainRun } from '../../src/ml/training/run/trainRun.ts';
import { trainingConfigSchema } from '../../src/protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { planSeconds } from '../headPlan.ts';
import type { HeadSettings } from '../headTrainingCase.ts';
import { report } from './report.ts';

/* Two epochs of `fivecrop train --method head`, checkpoints and all. Arguments: network, weights, data, settings. */
const [name = '', weights = '', data = '', settings = '{}'] = process.argv.slice(2);
const config = trainingConfigSchema.parse({
  data,
  network: { kind: 'architecture', name, weights },
  epochs: 2,
  validateEvery: 1e6,
  ...(JSON.parse(settings) as HeadSettings),
});
const out = await mkdtemp(join(tmpdir(), 'fivecrop-bench-'));

/** When each epoch began, took its last step, and was validated and saved. */
const begun: number[] = [];
const trained: number[] = [];
const saved: number[] = [];
let preparing = 0;
let validImages = 0;
let steps = 0;
const onEvent = (event: TrainingEvent) => {
  const now = performance.now() / 1000;
  if (event.event === 'start') [validImages, steps] = [event.validImages, event.stepsPerEpoch];
  if (event.event === 'state' && event.state === 'preparing') preparing = now;
  if (event.event === 'state' && event.state === 'running') begun[0] = now;
  if (event.event === 'step') trained[Math.ceil(event.epoch) - 1] = now;
  // A checkpoint is the last that an epoch does; `best` may come before `last`.
  if (event.event === 'checkpoint') begun[Math.round(event.epoch)] = saved[Math.round(event.epoch) - 1] = now;
};
try {
  const chooseEngine = () => Promise.resolve({ engine: onnxEngineAside(), device: 'cpu', fallbacks: [] });
  await trainRun(config, { out, chooseEngine, onEvent });
} finally {
  await rm(out, { recursive: true, force: true });
}
const lasted = (from: readonly number[], to: readonly number[], epoch: number) => (to[epoch] ?? 0) - (from[epoch] ?? 0);
const parts = {
  preparation: (begun[0] ?? 0) - preparing,
  firstStep: lasted(begun, trained, 0) / steps,
  laterStep: lasted(begun, trained, 1) / steps,
  firstValidation: lasted(trained, saved, 0) / validImages,
  laterValidation: lasted(trained, saved, 1),
};
report({ plan: planSeconds(parts), ...parts });
