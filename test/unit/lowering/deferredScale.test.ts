import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { channels, convolutionsOfNorms } from './normConvolutions.ts';

/** How many convolutions compute the gradient of a network's only batch norm. */
function convolutionsOfNorm(build: (b: GraphBuilder, x: string) => string, size: number): number | undefined {
  return convolutionsOfNorms(build, size, ['n'])[0];
}

const before = (b: GraphBuilder, x: string, bias = false) => conv2d(b, 'c', x, { channels, kernel: 1, bias });
const normalized = (b: GraphBuilder, x: string) => relu(b, batchNorm2d(b, 'n', x));

test('a batch norm takes one pass less where the convolution before it takes over the factor of its gradient', () => {
  assert.equal(
    convolutionsOfNorm((b, x) => normalized(b, before(b, x)), 16),
    2,
  );
});

test('the factor stays with a batch norm whose gradient others read, or whose map is small beside the weights', () => {
  assert.equal(
    convolutionsOfNorm((b, x) => normalized(b, before(b, x)), 8),
    3,
  );
  assert.equal(
    convolutionsOfNorm((b, x) => normalized(b, before(b, x, true)), 16),
    3,
  );
  assert.equal(
    convolutionsOfNorm((b, x) => relu(b, add(b, batchNorm2d(b, 'n', before(b, x)), x)), 16),
    3,
  );
});
