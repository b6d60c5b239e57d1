import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import type { Graph, GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { areWorthwhile, assignLayouts } from '../../../src/ml/lowering/blocked/assignLayouts.ts';
import { createFlowNetwork } from '../../../src/ml/lowering/blocked/minimumCut.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { multiheadSelfAttention } from '../../../src/ml/operators/matmul/attention.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { flatten, reshape } from '../../../src/ml/operators/movement/reshape.ts';
import { transpose } from '../../../src/ml/operators/movement/transpose.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { gradientStep } from '../../../src/ml/passes/trainingStep.ts';
import { seed } from '../engine/seed.ts';

const block = 16;

function step(build: (b: GraphBuilder, x: string) => string, size = 32): Graph {
  const b = createGraphBuilder('batch');
  const x = input(b, 'images', [2, 3, size, size]);
  const forward = finishGraph(b, [logSoftmax(b, linear(b, 'head', build(b, x), 5))]);
  return gradientStep(forward, { trainable: new Set(forward.parameters) });
}

const layer = (b: GraphBuilder, name: string, x: string, channels: number, kernel = 3) =>
  relu(
    b,
    batchNorm2d(b, `${name}.n`, conv2d(b, name, x, { channels, kernel, padding: (kernel - 1) / 2, bias: false })),
  );

/** The names of the operators with images that compute outside of the blocks. */
function plainNodes(graph: Graph): string[] {
  const { nodes } = assignLayouts(graph, block);
  const image = (value: string) => graph.types.get(value)?.axes === 'image';
  return graph.nodes
    .filter((node) => !nodes.has(node) && [...node.inputs, ...node.outputs].some(image))
    .map(({ operator }) => operator.name);
}

test('a network whose channels are all whole blocks computes on blocks throughout', () => {
  const graph = step((b, x) => globalAveragePool(b, layer(b, 'two', layer(b, 'one', x, 32), 64)));
  assert.deepEqual(plainNodes(graph), []);
  const { kernels } = assignLayouts(graph, block);
  assert.deepEqual([...kernels].sort(), ['one.weight', 'two.weight']);
});

test('a layer whose channels are no whole blocks is plain, and those around it are not', () => {
  const graph = step((b, x) => {
    const narrow = layer(b, 'narrow', layer(b, 'wide', layer(b, 'stem', x, 32), 64), 24, 1);
    return globalAveragePool(b, layer(b, 'again', layer(b, 'widened', narrow, 64), 64));
  });
  const layouts = assignLayouts(graph, block);
  assert.deepEqual([...layouts.kernels].sort(), ['again.weight', 'stem.weight', 'wide.weight']);
  assert.ok(areWorthwhile(graph, layouts));
});

test('between layers that must be plain, one that gains less than the reorders cost is plain too', () => {
  const graph = step((b, x) => {
    const first = layer(b, 'first', x, 24);
    const cheap = conv2d(b, 'cheap', first, { channels: 24, kernel: 1 });
    return globalAveragePool(b, layer(b, 'last', cheap, 24));
  });
  assert.equal(assignLayouts(graph, block).nodes.size, 0);
});

test('a transformer with a patch embedding is left in the plain layout', () => {
  const graph = step((b, x) => {
    const patches = conv2d(b, 'patches', x, { channels: 64, kernel: 8, stride: 8 });
    const tokens = transpose(b, reshape(b, patches, [2, 64, 16]), [0, 2, 1]);
    const attended = ['a', 'b', 'c', 'd'].reduce((value, name) => multiheadSelfAttention(b, name, value, 4), tokens);
    return flatten(b, attended);
  });
  const layouts = assignLayouts(graph, block);
  assert.ok(!areWorthwhile(graph, layouts));
});

test('a minimum cut costs as little as the best of all cuts', () => {
  const random = createRandom(seed, 'cuts');
  for (let round = 0; round < 50; round++) {
    const inner = 1 + random.integer(6);
    const flow = createFlowNetwork();
    const places = [0, 1, ...Array.from({ length: inner }, () => flow.place())];
    const edges = Array.from({ length: 3 * inner + 3 }, () => ({
      from: random.integer(places.length),
      to: random.integer(places.length),
      capacity: random.integer(10),
    })).filter(({ from, to }) => from !== to);
    for (const { from, to, capacity } of edges) flow.connect(from, to, capacity);
    const costOf = (isSource: (place: number) => boolean) =>
      edges.reduce((sum, { from, to, capacity }) => sum + (isSource(from) && !isSource(to) ? capacity : 0), 0);
    const side = flow.sourceSide();
    assert.ok(side.has(0) && !side.has(1), `seed ${seed}, round ${round}`);
    const costs = Array.from({ length: 2 ** inner }, (_, cut) =>
      costOf((place) => place === 0 || (place > 1 && ((cut >> (place - 2)) & 1) === 1)),
    );
    assert.equal(
      costOf((place) => side.has(place)),
      Math.min(...costs),
      `seed ${seed}, round ${round}`,
    );
  }
});
