import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { concat } from '../../../src/ml/operators/movement/concat.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { dropout } from '../../../src/ml/operators/elementwise/dropout.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { normalize } from '../../../src/ml/operators/elementwise/normalize.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import { splitFrozen } from '../../../src/ml/passes/frozenPrefix.ts';
import type { Graph } from '../../../src/ml/graph/graph.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { runDouble, type Doubles } from '../engine/doubleForward.ts';
import { doubles, randomValues } from '../engine/graphValues.ts';

const seed = Number(process.env['TEST_SEED'] ?? 1);

/** Bytes in; a residual and a dense connection, so that a cut in the middle crosses more than one value. */
function network(batchNorm: 'running' | 'batch' = 'running'): Graph {
  const b = createGraphBuilder(batchNorm);
  const pixels = input(b, 'images', [2, 3, 5, 6], 'uint8');
  const images = normalize(b, pixels, { scale: [0.01, 0.02, 0.03], shift: [-1, 0, 1], order: [2, 1, 0] });
  const stem = relu(b, batchNorm2d(b, 'norm', conv2d(b, 'stem', images, { channels: 4, kernel: 3, padding: 1 })));
  const branch = relu(b, conv2d(b, 'branch', stem, { channels: 4, kernel: 3, padding: 1 }));
  const joined = concat(b, [add(b, branch, stem), branch]);
  const last = relu(b, batchNorm2d(b, 'lastNorm', conv2d(b, 'last', joined, { channels: 3, kernel: 1 })));
  const features = dropout(b, 'drop', linear(b, 'hidden', globalAveragePool(b, last), 5), 0.5);
  return finishGraph(b, [logSoftmax(b, linear(b, 'fc', features, 3))]);
}

/** Runs the parts one after the other: the suffix sees its own inputs, parameters and buffers and nothing else. */
function runParts({ prefix, suffix }: { prefix?: Graph; suffix: Graph }, values: Doubles): Doubles {
  const given = ({ inputs, parameters, buffers }: Graph, all: Doubles) =>
    new Map([...inputs, ...parameters, ...buffers].map((name) => [name, all.get(name) ?? new Float64Array()]));
  if (!prefix) return runDouble(suffix, given(suffix, values));
  const features = runDouble(prefix, given(prefix, values));
  const crossing = prefix.outputs.map((name) => [name, features.get(name) ?? new Float64Array()] as const);
  return runDouble(suffix, given(suffix, new Map([...values, ...crossing])));
}

const cuts: Record<string, { trainable: string[]; batchNorm?: 'batch'; prefix: string[]; crossing: number }> = {
  'the last layer': { trainable: ['fc.weight', 'fc.bias'], prefix: ['stem', 'branch', 'last', 'hidden'], crossing: 1 },
  'one bias of the head': { trainable: ['hidden.bias'], prefix: ['stem', 'branch', 'last'], crossing: 1 },
  'a norm in the middle': { trainable: ['lastNorm.weight'], prefix: ['stem', 'branch', 'last'], crossing: 1 },
  'a convolution in the middle': { trainable: ['last.weight'], prefix: ['stem', 'branch'], crossing: 1 },
  'one arm of a residual block': { trainable: ['branch.bias'], prefix: ['stem'], crossing: 1 },
  'the head, norms by the batch': { trainable: ['fc.bias'], batchNorm: 'batch', prefix: ['stem'], crossing: 1 },
};

for (const [name, { trainable, batchNorm, prefix: modules, crossing }] of Object.entries(cuts)) {
  test(`cut for training ${name}, the two parts compute what the whole computes`, () => {
    const graph = network(batchNorm);
    const values = doubles(randomValues(graph, createRandom(seed, name)));
    const parts = splitFrozen(graph, new Set(trainable));
    assert.ok(parts.prefix);
    const whole = runDouble(graph, new Map(values));
    const cut = runParts(parts, values);
    for (const value of [...graph.outputs, ...graph.updates.values()]) {
      assert.deepEqual(cut.get(value), whole.get(value), value);
    }
    const frozen = parts.prefix.parameters.map((parameter) => parameter.split('.')[0]);
    assert.deepEqual(
      [...new Set(frozen)].filter((module) => !module?.toLowerCase().includes('norm')),
      modules,
    );
    assert.equal(parts.prefix.outputs.length, crossing);
    assert.ok(!parts.prefix.inputs.includes('drop.mask'));
    assert.equal(parts.prefix.updates.size, 0);
    assert.deepEqual(parts.suffix.updates, graph.updates);
    assert.equal(parts.prefix.nodes.length + parts.suffix.nodes.length, graph.nodes.length);
  });
}

test('where a cut goes through a residual connection, both of its ends are handed on', () => {
  const b = createGraphBuilder();
  const stem = conv2d(b, 'stem', input(b, 'images', [1, 2, 4, 4]), { channels: 2, kernel: 1 });
  const first = conv2d(b, 'first', stem, { channels: 2, kernel: 1 });
  const second = add(b, conv2d(b, 'second', first, { channels: 2, kernel: 1 }), stem);
  const graph = finishGraph(b, [logSoftmax(b, linear(b, 'fc', globalAveragePool(b, second), 3))]);
  const parts = splitFrozen(graph, new Set(['second.weight']));
  assert.deepEqual(parts.prefix?.outputs.toSorted(), [stem, first].sort());
  assert.deepEqual(parts.suffix.inputs.toSorted(), [stem, first].sort());
  const values = doubles(randomValues(graph, createRandom(seed)));
  const whole = runDouble(graph, new Map(values));
  assert.deepEqual(runParts(parts, values).get(graph.outputs[0] ?? ''), whole.get(graph.outputs[0] ?? ''));
});

test('there is no prefix where only the pixels are prepared before training begins', () => {
  const graph = network();
  const parts = splitFrozen(graph, new Set(graph.parameters));
  assert.equal(parts.prefix, undefined);
  assert.equal(parts.suffix, graph);
});
