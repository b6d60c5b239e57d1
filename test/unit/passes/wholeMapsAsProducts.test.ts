import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import { conv2d, type ConvolutionOptions } from '../../../src/ml/operators/convolution/conv2d.ts';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { linearOperator } from '../../../src/ml/operators/matmul/linear.ts';
import { wholeMapsAsProducts } from '../../../src/ml/passes/wholeMapsAsProducts.ts';
import { runDouble } from '../engine/doubleForward.ts';
import { assertClose, doubles, randomValues } from '../engine/graphValues.ts';
import { seed } from '../engine/seed.ts';

interface Case {
  readonly shape: readonly number[];
  readonly build: (b: GraphBuilder, x: string) => string;
  /** Convolutions that become products. */
  readonly products: number;
}

const convolved = (options: Partial<ConvolutionOptions>) => (b: GraphBuilder, x: string) =>
  conv2d(b, `conv${b.nodes.length}`, x, { channels: 3, kernel: 3, padding: 1, ...options });

const cases: Record<string, Case> = {
  'a 3x3 kernel on a map of 2x2': { shape: [16, 2, 2, 2], build: convolved({}), products: 1 },
  'a 3x3 kernel on one pixel, without a bias': { shape: [16, 2, 1, 1], build: convolved({ bias: false }), products: 1 },
  'a 1x1 kernel on one pixel': { shape: [20, 4, 1, 1], build: convolved({ kernel: 1, padding: 0 }), products: 1 },
  'a 3x3 kernel of stride 2 from 2x2 to one pixel': {
    shape: [16, 2, 2, 2],
    build: convolved({ stride: 2 }),
    products: 1,
  },
  'a dilated kernel on one pixel': { shape: [16, 2, 1, 1], build: convolved({ dilation: 2, padding: 2 }), products: 1 },
  'a kernel and a map that are not square': {
    shape: [16, 3, 1, 2],
    build: convolved({ kernel: [1, 3], padding: [0, 1] }),
    products: 1,
  },
  'a residual block on 2x2': {
    shape: [16, 3, 2, 2],
    build: (b, x) => relu(b, add(b, x, convolved({})(b, relu(b, convolved({})(b, x))))),
    products: 2,
  },
  'a 3x3 kernel on a map of 3x3 stays': { shape: [16, 2, 3, 3], build: convolved({}), products: 0 },
  'a 1x1 kernel of stride 2, which leaves pixels out, stays': {
    shape: [16, 2, 2, 2],
    build: convolved({ kernel: 1, padding: 0, stride: 2 }),
    products: 0,
  },
  'a dilated kernel with taps between the pixels stays': {
    shape: [16, 2, 2, 2],
    build: convolved({ dilation: 2, padding: 2 }),
    products: 0,
  },
  'groups stay': { shape: [16, 3, 2, 2], build: convolved({ groups: 3 }), products: 0 },
  'few images stay': { shape: [15, 2, 2, 2], build: convolved({}), products: 0 },
  'a kernel of few weights stays': { shape: [16, 2, 1, 1], build: convolved({ kernel: 1, padding: 0 }), products: 0 },
};

for (const [name, { shape, build, products }] of Object.entries(cases)) {
  test(`${name}: ${products} of its convolutions are products, with the same output`, () => {
    const builder = createGraphBuilder();
    const graph = finishGraph(builder, [build(builder, input(builder, 'x', shape))]);
    const state = randomValues(graph, createRandom(seed, name));
    const result = wholeMapsAsProducts(graph, state, { images: 15, weights: 8 });
    assert.equal(result.graph.nodes.filter(({ operator }) => operator === linearOperator).length, products);
    assert.deepEqual(result.graph.outputs, graph.outputs);
    assert.deepEqual([...result.constants.keys()], [...result.graph.parameters, ...result.graph.buffers]);
    const images = state.get('x');
    assert.ok(images);
    const [output = ''] = graph.outputs;
    const actual = runDouble(result.graph, doubles(new Map([...result.constants, ['x', images]]))).get(output);
    assertClose(actual ?? [], runDouble(graph, doubles(state)).get(output) ?? [], 1e-12, output);
  });
}
