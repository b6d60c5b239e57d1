import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { onnxEngineAside } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { trainRun } from '../../src/ml/training/run/trainRun.ts';
import { trainingConfigSchema } from '../../src/protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { report } from './report.ts';

/*
 * `fivecrop train --method head --feature-views 1`: the first epoch passes every image through the frozen layers, the later
 * ones train the head on what was kept. Arguments: network, weights, data, images of the plan, epochs of the head.
 */
const [name = '', weights = '', data = '', images = '0', epochs = '0'] = process.argv.slice(2);
const measuredEpochs = 3;
const config = trainingConfigSchema.parse({
  data,
  network: { kind: 'architecture', name, weights },
  epochs: measuredEpochs,
  validateEvery: 1e6,
  hidden: [],
  featureViews: 1,
});
const out = await mkdtemp(join(tmpdir(), 'fivecrop-bench-'));

/** Seconds on the clock, and of all processors together, at a moment. */
interface Moment {
  readonly wall: number;
  readonly processor: number;
}
const now = (): Moment => {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now() / 1000, processor: (user + system) / 1e6 };
};
let preparing = now();
/** When the first step began, and when each epoch's checkpoint was there. */
const marks: Moment[] = [];
/** When each step of each epoch was done. */
const steps: Moment[][] = [];
let trained = 0;
const onEvent = (event: TrainingEvent) => {
  if (event.event === 'start') trained = event.trainImages;
  if (event.event === 'state' && event.state === 'preparing') preparing = now();
  if (event.event === 'state' && event.state === 'running') marks[0] = now();
  if (event.event === 'step') (steps[Math.ceil(event.epoch) - 1] ??= []).push(now());
  if (event.event === 'checkpoint') marks[Math.round(event.epoch)] = now();
};
try {
  const chooseEngine = () => Promise.resolve({ engine: onnxEngineAside(), device: 'cpu', fallbacks: [] });
  await trainRun(config, { out, chooseEngine, onEvent });
} finally {
  await rm(out, { recursive: true, force: true });
}

/** Seconds of an image's part of an epoch, and of what does not grow with the images: compiling, validation, checkpoints. */
function partsOf(epoch: number, part: keyof Moment): { readonly image: number; readonly fixed: number } {
  const [first, last] = [steps[epoch]?.[0], steps[epoch]?.at(-1)];
  const [begun, ended] = [marks[epoch], marks[epoch + 1]];
  if (!first || !last || !begun || !ended) throw new Error(`epoch ${epoch + 1} was not seen`);
  const image = (last[part] - first[part]) / (config.batchSize * ((steps[epoch]?.length ?? 0) - 1));
  return { image, fixed: ended[part] - begun[part] - image * trained };
}

function planned(part: keyof Moment): number {
  const [pass, head] = [partsOf(0, part), partsOf(measuredEpochs - 1, part)];
  const before = (marks[0] ?? preparing)[part] - preparing[part];
  const later = Number(images) * head.image + head.fixed;
  return before + pass.fixed + Number(images) * pass.image + (Number(epochs) - 1) * later;
}

report({
  rate: 1 / partsOf(0, 'wall').image,
  plan: planned('wall'),
  // What two processors that do nothing else would take.
  processors: planned('processor') / 2,
});
