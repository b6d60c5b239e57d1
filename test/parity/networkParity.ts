import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Engine } from '../../src/ml/engine/engine.ts';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { elementCount, type Tensor } from '../../src/ml/graph/tensor.ts';
import { namedNetwork, networkGraph } from '../../src/ml/networks/registry.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { doubleEngine } from '../unit/engine/doubleEngine.ts';
import { referenceInput, referenceState } from './referenceFill.ts';
import type { EvalFigures, TrainFigures } from './torchvisionFigures.ts';
import { distance, oneHotMean } from './trainingDeviation.ts';

/*
 * What networks compute, against figures that the scripts of test/fixtures wrote with torch.
 */

/** In standard deviations of what is compared. */
const logitsLimit = 1e-4;
const gradientsLimit = 1e-3;
/**
 * How many times as far off as torch's float32 ours may be. A value within rounding of an end of ReLU6 goes through or
 * not, and deep in a network of few values one of them moves the whole gradient by a percent.
 */
const allowance = 5;
const loggedLogits = 8;

/** Parameters, names, shapes and order of a network with its own classifier. */
export function compareParameters(name: string, { input, parameters, ...reference }: EvalFigures): void {
  const graph = networkGraph(name, 'original', input[2]);
  const shapes = stateShapes(graph);
  const counts = graph.parameters.map((parameter) => elementCount(shapes.get(parameter) ?? []));
  const count = counts.reduce((sum, size) => sum + size, 0);
  assert.deepEqual([count, counts.length], [parameters, reference.parameter_tensors]);
  const lines = [...shapes].map(([key, shape]) => `${key} [${shape.join(', ')}]`).join('\n');
  assert.equal(createHash('sha256').update(lines).digest('hex'), reference.state_dict_sha256, lines);
}

/** The largest difference of a network's logits from torch's, in torch's standard deviations; asserts that it is small. */
export async function compareLogits(
  name: string,
  { input, logits, logits_first: first }: EvalFigures,
  engine: Engine = onnxEngine,
): Promise<number> {
  const network = namedNetwork(name);
  const graphFor = (batchSize: number) => network.graph('original', { batchSize, size: input[2] });
  const model = await engine.compileInference(graphFor, referenceState(stateShapes(graphFor(1))), 'cpu');
  const [found] = (await model.run(new Map([['images', referenceInput(input)]]))).values();
  await model.dispose();
  const off = distance(logits, found);
  assert.ok(off < logitsLimit, `mean and deviation are off by ${off}`);
  const classes = found?.shape[1] ?? 0;
  const differences = first.map((expected, index) => {
    const at = Math.floor(index / loggedLogits) * classes + (index % loggedLogits);
    return Math.abs(Number(found?.data[at]) - expected) / logits.std;
  });
  const largest = Math.max(off, ...differences);
  assert.ok(largest < logitsLimit, `a logit is off by ${largest} deviations`);
  return largest;
}

/**
 * The loss that the first step begins with, in inference, for a network without batch norm: a cheaper figure than the
 * logits where an engine is slow, since the images are smaller.
 */
export async function compareFirstLoss(
  name: string,
  { input, head_hidden: hidden, classes, targets, loss }: TrainFigures,
  engine: Engine,
): Promise<void> {
  const network = namedNetwork(name);
  const graphFor = (batchSize: number) => network.graph({ hidden, dropout: 0, classes }, { batchSize, size: input[2] });
  const model = await engine.compileInference(graphFor, referenceState(stateShapes(graphFor(1))), 'cpu');
  const [found] = (await model.run(new Map([['images', referenceInput(input)]]))).values();
  await model.dispose();
  const losses = targets.map((target, index) => -Number(found?.data[index * classes + target]));
  const mean = losses.reduce((sum, value) => sum + value, 0) / losses.length;
  assert.ok(Math.abs(mean - loss) < 1e-5 * loss, `loss ${mean}, not ${loss}`);
}

/** Asserts that an engine gives ONNX Runtime's logits of a small image: those of larger ones are compared with torch. */
export async function compareWithOnnx(name: string, size: number, engine: Engine): Promise<void> {
  const network = namedNetwork(name);
  const graphFor = (batchSize: number) => network.graph('original', { batchSize, size });
  const state = referenceState(stateShapes(graphFor(1)));
  const [expected, found] = await Promise.all(
    [onnxEngine, engine].map(async (one) => {
      const model = await one.compileInference(graphFor, state, 'cpu');
      const [logits] = (await model.run(new Map([['images', referenceInput([1, 3, size, size])]]))).values();
      await model.dispose();
      return Array.from(logits?.data ?? [], Number);
    }),
  );
  const differences = expected?.map((value, index) => Math.abs(value - (found?.[index] ?? NaN))) ?? [NaN];
  assert.ok(Math.max(...differences) < logitsLimit, `a logit is off by ${Math.max(...differences)}`);
}

/** Whether torch's float32 is so near to float64 that ours is compared in float32 by the bound that float64 has, which is far quicker. */
export function float32Tells({ float32_gradients: distanceOfTorch }: TrainFigures): boolean {
  return allowance * distanceOfTorch <= gradientsLimit;
}

/** The first step in float64: loss, gradients and running statistics. */
export function compareDoubleStep(name: string, reference: TrainFigures): Promise<void> {
  return compareStep(name, reference, doubleEngine, gradientsLimit);
}

/** The same in float32, whose own distance from float64 torch's tells how near it can be. */
export function compareFloatStep(name: string, reference: TrainFigures): Promise<void> {
  return compareStep(name, reference, onnxEngine, Math.max(gradientsLimit, allowance * reference.float32_gradients));
}

async function compareStep(name: string, reference: TrainFigures, engine: Engine, limit: number): Promise<void> {
  const { input, head_hidden: hidden, classes, targets } = reference;
  const network = namedNetwork(name);
  const head = { hidden, dropout: 0, classes };
  const graphFor = (batchSize: number) => network.graph(head, { batchSize, size: input[2], batchNorm: 'batch' });
  const graph = graphFor(1);
  const model = await engine.compileTraining(
    graphFor,
    { state: referenceState(stateShapes(graph)), optimizer: new Map(), step: 0 },
    {
      trainable: new Set(graph.parameters),
      optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 0 },
      device: 'cpu',
    },
  );
  const feeds = new Map<string, Tensor>([
    ['images', referenceInput(input)],
    ['targets', oneHotMean(targets, classes)],
  ]);
  const { loss } = await model.step([feeds], 0);
  const { state, optimizer } = await model.snapshot();
  await model.dispose();
  // Momentum begins as the gradient, so one run of the step gives everything that is compared.
  const gradients = new Map([...optimizer].map(([name, tensor]) => [name.replace(/\.momentum_buffer$/, ''), tensor]));
  assert.deepEqual([...gradients.keys()].sort(), Object.keys(reference.gradients).sort());
  // A gradient that is little but rounding, as that of a bias before a batch norm, has no deviation to compare with.
  const least = 1e-3 * Math.max(...Object.values(reference.gradients).map(({ std }) => std));
  for (const [parameter, summary] of Object.entries(reference.gradients)) {
    const off = distance(summary, gradients.get(parameter), least);
    assert.ok(off < limit, `the gradient of ${parameter} is off by ${off}`);
  }
  assert.ok(Math.abs(loss - reference.loss) < 1e-5 * reference.loss, `loss ${loss}, not ${reference.loss}`);
  for (const [buffer, summary] of Object.entries(reference.running_statistics)) {
    const off = distance(summary, state.get(buffer));
    assert.ok(off < gradientsLimit, `${buffer} is off by ${off}`);
  }
}
