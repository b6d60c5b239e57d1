import { writeFileSync } from 'node:fs';
import { onnxEngine, onnxEngineReplaying } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { selfCheck, tinySizes } from '../../src/ml/engine/selfCheck.ts';
import { imagesInput } from '../../src/ml/networks/network.ts';
import { median } from '../result.ts';
import { report } from './report.ts';
import { onCpu, randomTraining, stepsOf, watchedSteps } from './watchedSteps.ts';

/*
 * One kind of work on one device, with the product's own parts: `check` compares a few training steps with the CPU's,
 * `full` is a training step of everything, `replayed` the same recorded and replayed (on WebGPU), `head` one of the head behind the frozen rest, `five` a prediction over five
 * crops; `placement` says how many operators of a step of everything the CPU ran, and writes what ran each, and for how long,
 * into a file. Arguments: work, architecture, batch size, steps, device, side of the images, file.
 */
const [work = 'check', name = 'resnet18', batchText = '8', stepsText = '5', device = 'cpu', sizeText = '224', file] =
  process.argv.slice(2);
const [batch, steps, size] = [Number(batchText), Number(stepsText), Number(sizeText)];
const training = { network: name, method: work === 'head' ? 'head' : 'scratch', batch, size, device } as const;

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
  if (work === 'five') {
    const { network, state, images } = randomTraining(training);
    const model = await onnxEngine.compileInference(network.validation, state, device);
    report({ images: batch / 5 / (await timed(() => model.run(new Map([[imagesInput, images]])))) });
    return;
  }
  const engine = work === 'replayed' ? onnxEngineReplaying(notReplayed) : onnxEngine;
  report({ images: batch / (await timed((await stepsOf(training, engine)).take)) });
}

function notReplayed(reason: string): never {
  throw new Error(`steps are not replayed: ${reason}`);
}

async function place(): Promise<void> {
  const profiles = await watchedSteps(training);
  if (file !== undefined) writeFileSync(file, JSON.stringify(profiles));
  const operators = profiles.reduce((sum, { kernels }) => sum + kernels.length, 0);
  report({ operators, onCpu: onCpu(profiles).length });
}

await (work === 'check' ? check() : work === 'placement' ? place() : measure());
// Not every driver lets its process end by itself.
process.exit(0);
