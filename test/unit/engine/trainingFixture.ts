import assert from 'node:assert/strict';
import type { Feeds } from '../../../src/ml/engine/engine.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { dropout } from '../../../src/ml/operators/elementwise/dropout.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import { typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import type { Optimizer } from '../../../src/ml/operators/optimizer/optimizer.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor, type StateDict, type Tensor } from '../../../src/ml/graph/tensor.ts';

/** A small network with everything that training treats differently: batch norm, dropout, two kinds of weights. */
export function network(batchSize: number, batchNorm: 'running' | 'batch' = 'running', side = 6): Graph {
  const builder = createGraphBuilder(batchNorm);
  const x = input(builder, 'images', [batchSize, 3, side, side]);
  const map = relu(builder, batchNorm2d(builder, 'norm', conv2d(builder, 'conv', x, { channels: 16, kernel: 3 })));
  // Full blocks of channels on both sides, as an engine with a layout of its own wants them.
  const last = conv2d(builder, 'last', map, { channels: 16, kernel: 3, padding: 1, bias: false });
  const features = dropout(builder, 'drop', globalAveragePool(builder, last), 0.5);
  return finishGraph(builder, [logSoftmax(builder, linear(builder, 'fc', features, 3))]);
}

function randomTensor(name: string, shape: readonly number[]): Tensor & { dtype: 'float32' } {
  const random = createRandom(1, name);
  const value = () => (name.endsWith('running_var') ? 0.5 + random.next() : random.normal());
  return float32Tensor(shape, Float32Array.from({ length: elementCount(shape) }, value));
}

/** For its names. */
export const names = network(1);
const counter: Tensor = { dtype: 'int64', shape: [], data: BigInt64Array.of(7n) };
export const initialState: StateDict = new Map<string, Tensor>([
  ...[...names.parameters, ...names.buffers].map(
    (name) => [name, randomTensor(name, typeOf(names, name).shape)] as const,
  ),
  ['norm.num_batches_tracked', counter],
]);

/** Rows `from` to `to` of one fixed batch of four images. */
export function feeds(from = 0, to = 4): Feeds {
  const rows = (name: string, shape: readonly number[]) => {
    const size = elementCount(shape);
    return float32Tensor([to - from, ...shape], randomTensor(name, [4, ...shape]).data.slice(from * size, to * size));
  };
  const labels = Float32Array.of(0.25, 0, 0, 0, 0.25, 0, 0, 0, 0.25, 0.25, 0, 0).slice(from * 3, to * 3);
  return new Map([
    ['images', rows('images', [3, 6, 6])],
    ['drop.mask', rows('mask', [16])],
    ['targets', float32Tensor([to - from, 3], labels)],
  ]);
}

export const adam: Optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** A tensor's elements, none where it is missing. */
export function numbers(state: StateDict, name: string): number[] {
  return Array.from(state.get(name)?.data ?? [], Number);
}

/** Fails where a value is further off than `tolerance`, in units of its expected value. */
export function assertEachClose(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
  what: string,
) {
  assert.equal(actual.length, expected.length, what);
  for (const [index, value] of expected.entries()) {
    const off = Math.abs((actual[index] ?? NaN) - value);
    assert.ok(
      off <= tolerance * Math.max(1e-2, Math.abs(value)),
      `${what}[${index}] is ${actual[index]}, not ${value}`,
    );
  }
}

/** torch's update of one number, from the pseudo-code in torch.optim's documentation, in float64. */
export function torchUpdate(optimizer: Optimizer) {
  let [m, v, step] = [0, 0, 0];
  return (p: number, gradient: number, rate: number): number => {
    step += 1;
    const coupled = optimizer.kind === 'adamw' ? gradient : gradient + optimizer.weightDecay * p;
    if (optimizer.kind === 'sgd') {
      m = step === 1 ? coupled : optimizer.momentum * m + coupled;
      return p - rate * m;
    }
    const { beta1, beta2, epsilon, weightDecay } = optimizer;
    const shrunk = optimizer.kind === 'adamw' ? p - rate * weightDecay * p : p;
    m = beta1 * m + (1 - beta1) * coupled;
    v = beta2 * v + (1 - beta2) * coupled ** 2;
    return shrunk - (rate * (m / (1 - beta1 ** step))) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon);
  };
}

export const optimizers: Optimizer[] = [
  adam,
  { ...adam, weightDecay: 0.1, epsilon: 1e-2 },
  { ...adam, kind: 'adamw', weightDecay: 0.1 },
  { kind: 'sgd', momentum: 0, weightDecay: 0 },
  { kind: 'sgd', momentum: 0.9, weightDecay: 0.1 },
];
