import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { selfCheck, tinySizes } from '../../src/ml/engine/selfCheck.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import type { Tensor } from '../../src/ml/graph/tensor.ts';
import { frozenPart } from '../../src/ml/training/features/frozenPart.ts';
import { imagesInput } from '../../src/ml/networks/network.ts';
import { namedNetwork } from '../../src/ml/networks/registry.ts';
import { runNetwork } from '../../src/ml/training/run/runNetwork.ts';
import { createStepper } from '../../src/ml/training/loop/stepper.ts';
import { initialise } from '../../src/ml/networks/initialise.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { trainingConfigSchema } from '../../src/protocol/trainingConfig.ts';
import { median } from '../result.ts';
import { report } from './report.ts';

/*
 * One kind of work on one device, with the product's own parts: `check` compares a few training steps with the CPU's,
 * `full` is a training step of everything, `head` one of the head behind the frozen rest, `five` a prediction over five
 * crops. Arguments: work, architecture, batch size, steps, device, side of the images.
 */
const [work = 'check', name = 'resnet18', batchText = '8', stepsText = '5', device = 'cpu', sizeText = '224'] =
  process.argv.slice(2);
const [batch, steps, size] = [Number(batchText), Number(stepsText), Number(sizeText)];
const classes = 102;

async function check(): Promise<void> {
  const { difference, lossDifference } = await selfCheck(onnxEngine, device, size < 64 ? tinySizes : undefined);
  report({ difference, lossDifference });
}

/** The seconds of each of `steps` calls after two to warm up. */
async function timed(call: () => Promise<unknown>): Promise<number> {
  const seconds: number[] = [];
  for (let step = 0; step < steps + 2; step++) {
    const start = performance.now();
    await call();
    seconds.push((performance.now() - start) / 1000);
  }
  return median(seconds.slice(2));
}

async function measure(): Promise<void> {
  const config = trainingConfigSchema.parse({
    data: '.',
    network: { kind: 'architecture', name },
    method: work === 'head' ? 'head' : 'scratch',
    batchSize: batch,
    imageSize: size,
    resize: size,
  });
  const network = runNetwork(config, namedNetwork(name), classes);
  const state = initialise(stateShapes(network.whole(1)), network.initialise, 0);
  const random = createRandom(0);
  const data = Uint8Array.from({ length: batch * 3 * size * size }, () => random.integer(256));
  const images: Tensor = { dtype: 'uint8', shape: [batch, 3, size, size], data };
  const labels = Int32Array.from({ length: batch }, (_, index) => index % classes);
  const common = { engine: onnxEngine, device, network, log: console.error };
  if (work === 'five') {
    const model = await onnxEngine.compileInference(network.validation, state, device);
    report({ images: batch / 5 / (await timed(() => model.run(new Map([[imagesInput, images]])))) });
    return;
  }
  const frozen = await frozenPart({ ...common, state });
  const initial = { state, optimizer: new Map(), step: 0 };
  const stepper = await createStepper({ ...common, config, initial, targets: { classes, labelSmoothing: 0 }, microBatchSize: batch }); // prettier-ignore
  const step = async () => stepper.take(await frozen.feeds(images), labels, 1e-3);
  report({ images: batch / (await timed(step)) });
}

await (work === 'check' ? check() : measure());
// Not every driver lets its process end by itself.
process.exit(0);
