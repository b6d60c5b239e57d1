import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { concat } from '../../../src/ml/operators/movement/concat.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { foldBatchNorm } from '../../../src/ml/passes/foldBatchNorm.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { runDouble } from '../engine/doubleForward.ts';
import { assertClose, doubles, randomValues } from '../engine/graphValues.ts';
import { seed } from '../engine/seed.ts';

const convolved = (b: GraphBuilder, x: string, bias: boolean) =>
  conv2d(b, `conv${b.nodes.length}`, x, { channels: 3, kernel: 3, padding: 1, bias });
const normed = (b: GraphBuilder, x: string) => batchNorm2d(b, `norm${b.nodes.length}`, x);

/** Networks, and how many of their norms are folded. */
const networks: Record<string, { build: (b: GraphBuilder, x: string) => string[]; folded: number }> = {
  'batch norm after a convolution without bias is folded': {
    build: (b, x) => [normed(b, convolved(b, x, false))],
    folded: 1,
  },
  'batch norm after a convolution with a bias is folded': {
    build: (b, x) => [relu(b, normed(b, convolved(b, x, true)))],
    folded: 1,
  },
  'of two batch norms in a row, the first is folded': {
    build: (b, x) => [normed(b, normed(b, convolved(b, x, false)))],
    folded: 1,
  },
  'batch norm is folded in both arms of a residual block': {
    build: (b, x) => [add(b, normed(b, convolved(b, x, false)), normed(b, convolved(b, x, true)))],
    folded: 2,
  },
  'batch norm before a convolution stays': { build: (b, x) => [convolved(b, relu(b, normed(b, x)), true)], folded: 0 },
  'batch norm stays where something else reads the convolution': {
    build: (b, x) => {
      const map = convolved(b, x, false);
      return [concat(b, [map, normed(b, map)])];
    },
    folded: 0,
  },
  'batch norm stays where the convolution itself is asked for': {
    build: (b, x) => {
      const map = convolved(b, x, false);
      return [normed(b, map), map];
    },
    folded: 0,
  },
};

for (const [name, { build, folded }] of Object.entries(networks)) {
  test(`${name}, with the same output`, () => {
    const builder = createGraphBuilder();
    const x = input(builder, 'x', [2, 2, 5, 4]);
    const graph = finishGraph(builder, build(builder, x));
    const state = randomValues(graph, createRandom(seed, name));
    const before = structuredClone(state);
    const result = foldBatchNorm(graph, state);
    assert.equal(graph.nodes.length - result.graph.nodes.length, folded);
    assert.deepEqual(result.graph.outputs, graph.outputs);
    assert.deepEqual([...result.constants.keys()], [...result.graph.parameters, ...result.graph.buffers]);
    assert.deepEqual(state, before);
    const expected = runDouble(graph, doubles(state));
    const images = state.get('x');
    assert.ok(images);
    const actual = runDouble(result.graph, doubles(new Map([...result.constants, ['x', images]])));
    for (const output of graph.outputs) assertClose(actual.get(output) ?? [], expected.get(output) ?? [], 1e-6, output);
  });
}

test('a state that lacks a tensor is refused by its name', () => {
  const builder = createGraphBuilder();
  const graph = finishGraph(builder, [normed(builder, convolved(builder, input(builder, 'x', [1, 2, 3, 3]), false))]);
  assert.throws(() => foldBatchNorm(graph, new Map()), /no float32 tensor named norm1\.weight/);
});
