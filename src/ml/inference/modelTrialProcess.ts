import { basename } from 'node:path';
import { Worker } from 'node:worker_threads';
import { UserError, userError } from '../../protocol/errors.ts';
import { onnxEngine } from '../engine/onnxruntime/onnxEngine.ts';
import { isOutOfMemory } from '../engine/outOfMemory.ts';
import { createRandom } from '../graph/random.ts';
import { float32Tensor } from '../graph/tensor.ts';
import { featuresOf, openForeignModel, readOnnxFile, scoresOf } from './foreignModel.ts';
import { endsBy, type TrialAnswer, type TrialWish } from './modelTrial.ts';

/*
 * The entry of the process in which a foreign model is tried: `tryModel` of modelTrial.ts starts it with its wish. The
 * answer goes back as one message. A model that takes its process down takes this one.
 */
const wish = JSON.parse(process.argv[2] ?? '') as TrialWish;

/** A thread looks at memory and processor time: the main one may be in native code all the time. */
const watcher = `
  const { workerData: { memory, seconds, endsBy } } = require('node:worker_threads');
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    if (process.memoryUsage.rss() > memory) process.kill(process.pid, endsBy.memory);
    if (user + system > seconds * 1e6) process.kill(process.pid, endsBy.time);
  }, 10);`;
const { memory, seconds } = wish;
new Worker(watcher, { eval: true, workerData: { memory, seconds, endsBy }, execArgv: [] }).unref();

/** Two images of noise at once, then one that is all grey. */
async function tryOnce({ file, sha256, use, imageSize }: TrialWish): Promise<void> {
  const read = await readOnnxFile(file);
  if (read.sha256 !== sha256) throw userError(`${file} changed while it was read: try again.`);
  const scores = use.kind === 'scores' ? scoresOf(read) : undefined;
  const features = use.kind === 'features' ? featuresOf(read, use) : undefined;
  const truncated = scores ?? features;
  if (!truncated) return;
  const placement = { engine: onnxEngine, device: 'cpu' };
  const model = await openForeignModel(file, truncated, scores?.classes ?? features?.features ?? 0, placement);
  const size = truncated.imageSize ?? imageSize;
  const random = createRandom(0, 'trial');
  const noise = float32Tensor([2, 3, size, size]);
  for (let at = 0; at < noise.data.length; at++) noise.data[at] = random.next() - 0.5;
  await model.run(noise);
  await model.run(float32Tensor([1, 3, size, size]));
}

async function answer(): Promise<TrialAnswer> {
  try {
    await tryOnce(wish);
    return { done: true };
  } catch (error) {
    if (error instanceof UserError) return { problem: error.message };
    if (isOutOfMemory(error))
      return { problem: `${basename(wish.file)} needs more memory than there is: choose a smaller ONNX file.` };
    throw error;
  }
}

process.send?.(await answer(), () => process.exit(0));
