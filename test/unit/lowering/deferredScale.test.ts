import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import { gradientStep } from '../../../src/ml/passes/trainingStep.ts';
import { around } from '../engine/around.ts';
import { blocksFor } from '../engine/blockedFormsEngine.ts';

const channels = 16;

/** How many convolutions compute the gradient of a network's only batch norm, the sum of products among them. */
function convolutionsOfNorm(build: (b: GraphBuilder, x: string) => string, size: number): number {
  const forward = around(build, { batchNorm: 'batch', shape: [1, channels, size, size] });
  const graph = gradientStep(forward, { trainable: new Set(forward.parameters) });
  const assign = blocksFor();
  const blockedKernels = assign(graph, channels).kernels;
  const model = writeOnnx(graph, { constants: new Map(), block: channels, assign, blockedKernels });
  const { node } = model.graph;
  return node.filter(
    ({ opType, name = '' }) => opType === 'Conv' && name.includes(':backward:batchNormTrainingGradient'),
  ).length;
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
