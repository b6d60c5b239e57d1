import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import { mixImages } from '../../../src/ml/data/mixBatch.ts';
import type { Engine, Feeds } from '../../../src/ml/engine/engine.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { tensorflowEngine } from '../../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { pixelConstants } from '../../../src/ml/graph/pixelConstants.ts';
import { elementCount, float32Tensor, type StateDict, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { layerGroups, layerNumbers } from '../../../src/ml/networks/layerGroups.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import { normalize } from '../../../src/ml/operators/elementwise/normalize.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { flatten } from '../../../src/ml/operators/movement/reshape.ts';
import { averageName, type Optimizer } from '../../../src/ml/operators/optimizer/optimizer.ts';
import { lossTargets } from '../../../src/ml/operators/loss/lossTargets.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { doubleEngine } from './doubleEngine.ts';

interface Case {
  readonly focalGamma: number;
  readonly classWeights: readonly number[];
  readonly losses: readonly number[];
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly averages: Readonly<Record<string, readonly number[]>>;
  readonly mixed: readonly number[];
  readonly targets: readonly number[];
}

/** Written by torch_recipe_step.py beside it, which says what the step is of. */
const file = join(import.meta.dirname, '../../fixtures/torch_recipe_step.json');
const torch = JSON.parse(readFileSync(file, 'utf8')) as { labels: number[]; own: number; cases: Case[] };
const labels = Int32Array.from(torch.labels);

function network(batchSize: number) {
  const builder = createGraphBuilder();
  const images = input(builder, 'images', [batchSize, 3, 4, 4], 'uint8');
  let x = flatten(builder, normalize(builder, images, pixelConstants(presetConstants('imagenet'))));
  for (const layer of ['blocks.0', 'blocks.1']) x = relu(builder, linear(builder, layer, x, 5));
  return finishGraph(builder, [logSoftmax(builder, linear(builder, 'head.output', x, 3))]);
}

function filled(): StateDict {
  return new Map(
    [...stateShapes(network(1))].map(([name, shape]) => {
      const count = elementCount(shape);
      return [
        name,
        float32Tensor(
          shape,
          Float32Array.from({ length: count }, (_, i) => Math.sin(i + count) / 4),
        ),
      ];
    }),
  );
}

function assertNear(actual: ArrayLike<number>, expected: readonly number[], tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (const [index, value] of expected.entries()) {
    const off = Math.abs((actual[index] ?? NaN) - value);
    assert.ok(off <= tolerance, `${what}[${index}] is ${actual[index]}, not ${value}`);
  }
}

function mixedImages(): Uint8Array {
  const pixels = Uint8Array.from({ length: 4 * 48 }, (_, index) => 4 * ((7 * index) % 64));
  mixImages(pixels, 4, { kind: 'mixup', own: torch.own });
  return pixels;
}

const engines: readonly (readonly [string, Engine, number])[] = [
  ['ONNX Runtime in float64', doubleEngine, 2e-7],
  ['ONNX Runtime', onnxEngine, 1e-5],
  ['TensorFlow.js', tensorflowEngine, 1e-5],
];

for (const reference of torch.cases) {
  const { focalGamma, classWeights } = reference;
  for (const [title, engine, tolerance] of engines) {
    test(`mixup, smoothing, focal loss of ${focalGamma}, rates by layer and the average of ${title} are torch’s`, async () => {
      const groups = layerGroups(network(1), 'head');
      const all = groups.map((_, index) => ({ rate: 0.75 ** (groups.length - 1 - index), start: 0 }));
      const of = layerNumbers(groups);
      const optimizer: Optimizer = {
        ...{ kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.05 },
        ...{ averageDecay: 0.9, groups: { all, of } },
      };
      const options = { trainable: new Set(network(1).parameters), optimizer, focalGamma, device: 'cpu' };
      const initial = { state: filled(), optimizer: new Map(), step: 0 };
      const model = await engine.compileTraining(network, initial, options);
      const pixels = mixedImages();
      assert.deepEqual([...pixels], reference.mixed);
      const targets = lossTargets(
        labels,
        { classes: 3, labelSmoothing: 0.1, classWeights: Float64Array.from(classWeights) },
        torch.own,
      );
      assertNear(targets.data, reference.targets, 1e-7, 'targets');
      const images = { dtype: 'uint8', shape: [4, 3, 4, 4], data: pixels } as const;
      const feeds: Feeds = new Map<string, Tensor>([
        ['images', images],
        ['targets', targets],
      ]);
      for (const loss of reference.losses) {
        const result = await model.step([feeds], 0.01);
        assertNear([result.loss], [loss], tolerance, 'loss');
      }
      const { state, optimizer: moments } = await model.snapshot();
      for (const [name, expected] of Object.entries(reference.parameters)) {
        assertNear(state.get(name)?.data as Float32Array, expected, tolerance, name);
      }
      for (const [name, expected] of Object.entries(reference.averages)) {
        assertNear(moments.get(averageName(name))?.data as Float32Array, expected, tolerance, averageName(name));
      }
      await model.dispose();
    });
  }
}
