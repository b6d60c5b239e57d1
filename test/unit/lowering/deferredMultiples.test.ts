import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../../src/ml/operators/movement/concat.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { channels, convolutionsOfNorms } from './normConvolutions.ts';

const grown = (b: GraphBuilder, x: string, layer: string) =>
  concat(b, [x, conv2d(b, `${layer}.conv`, relu(b, batchNorm2d(b, `${layer}.norm`, x)), { channels, kernel: 1 })]);

test('in a dense block each norm sums products and scales its gradient, and multiplies no image', () => {
  assert.deepEqual(
    convolutionsOfNorms((b, x) => relu(b, batchNorm2d(b, 'last', grown(b, grown(b, x, 'one'), 'two'))), 4, [
      'one.norm',
      'two.norm',
      'last',
    ]),
    [2, 2, 2],
  );
});

test('a norm whose image is no part of a join multiplies it itself', () => {
  assert.deepEqual(
    convolutionsOfNorms((b, x) => relu(b, batchNorm2d(b, 'alone', x)), 4, ['alone']),
    [3],
  );
});
