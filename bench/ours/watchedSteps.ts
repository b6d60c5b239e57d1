import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, KernelTime, ProfileObserver, SessionProfile } from '../../src/ml/engine/engine.ts';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import type { Tensor } from '../../src/ml/graph/tensor.ts';
import { initialise } from '../../src/ml/networks/initialise.ts';
import { namedNetwork } from '../../src/ml/networks/registry.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { createStepper } from '../../src/ml/training/loop/stepper.ts';
import { frozenPart } from '../../src/ml/training/features/frozenPart.ts';
import { runNetwork } from '../../src/ml/training/run/runNetwork.ts';
import { trainingConfigSchema } from '../../src/protocol/trainingConfig.ts';

/** A training on random pixels that come from memory, of 102 classes. */
export interface RandomTraining {
  readonly network: string;
  readonly method: 'scratch' | 'head';
  readonly batch: number;
  /** Side of the images in pixels. */
  readonly size: number;
  readonly device: string;
}

const classes = 102;

/** The network of a training on random pixels, its state and a batch. */
export function randomTraining({ network: name, method, batch, size }: RandomTraining) {
  const config = trainingConfigSchema.parse({
    data: '.',
    network: { kind: 'architecture', name },
    method,
    batchSize: batch,
    imageSize: size,
    resize: size,
  });
  const network = runNetwork(config, namedNetwork(name), classes);
  const state = initialise(stateShapes(network.whole(1)), network.initialise, 0);
  const random = createRandom(0);
  const data = Uint8Array.from({ length: batch * 3 * size * size }, () => random.integer(256));
  const images: Tensor = { dtype: 'uint8', shape: [batch, 3, size, size], data };
  return { config, network, state, images, labels: Int32Array.from({ length: batch }, (_, index) => index % classes) };
}

/** Such a training, that takes a step each time that `take` is called. */
export async function stepsOf(training: RandomTraining, engine: Engine = onnxEngine) {
  const { config, network, state, images, labels } = randomTraining(training);
  const common = { engine, device: training.device, network, log: console.error };
  const frozen = await frozenPart({ ...common, state });
  const initial = { state, optimizer: new Map(), step: 0 };
  const targets = { classes, labelSmoothing: 0 };
  const stepper = await createStepper({ ...common, config, initial, targets, microBatchSize: training.batch });
  return { take: async () => stepper.take(await frozen.feeds(images), labels, 1e-3), dispose: () => stepper.dispose() };
}

/** What ONNX Runtime says of the models that `work` runs: what ran each operator, and for how long. */
export async function watched(work: (engine: Engine) => Promise<void>): Promise<readonly SessionProfile[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-watched-'));
  const profiles: SessionProfile[] = [];
  const observer: ProfileObserver = {
    ...{ runs: watchedRuns, warmup: 1, folder },
    wants: () => true,
    enough: () => false,
    now: () => 0,
    seen: (profile) => profiles.push(profile),
  };
  try {
    const engine = onnxEngine.profiled?.(observer);
    if (!engine) throw new Error('the engine cannot be watched');
    await work(engine);
    return profiles;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const watchedRuns = 3;

/** The same of some steps of a training. */
export function watchedSteps(training: RandomTraining): Promise<readonly SessionProfile[]> {
  return watched(async (engine) => {
    const steps = await stepsOf(training, engine);
    for (let taken = 0; taken < watchedRuns; taken++) await steps.take();
    await steps.dispose();
  });
}

/** The operators that the CPU ran. */
export function onCpu(profiles: readonly SessionProfile[]): readonly KernelTime[] {
  return profiles.flatMap(({ kernels }) => kernels.filter(({ provider }) => provider === 'CPUExecutionProvider'));
}
