import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../../src/ml/operators/movement/concat.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { relu } from '../../../src/ml/operators/activation/relu.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import type { OnnxNode } from '../../../src/ml/onnx/onnxModel.ts';
import { writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import { gradientStep } from '../../../src/ml/passes/trainingStep.ts';
import { around } from '../engine/around.ts';
import { blocksFor } from '../engine/blockedFormsEngine.ts';

const channels = 16;

/** The convolutions of a step's backward pass by the layer that they are named after. */
function backwardConvolutions(build: (b: GraphBuilder, x: string) => string): OnnxNode[] {
  const forward = around(build, { batchNorm: 'batch', shape: [1, channels, 4, 4] });
  const graph = gradientStep(forward, { trainable: new Set(forward.parameters) });
  const assign = blocksFor();
  const blockedKernels = assign(graph, channels).kernels;
  const { node } = writeOnnx(graph, { constants: new Map(), block: channels, assign, blockedKernels }).graph;
  return node.filter(({ opType, name = '' }) => opType === 'Conv' && name.includes(':backward:'));
}

function ofNorm(nodes: readonly OnnxNode[], layer: string): number {
  return nodes.filter(({ name = '' }) => name.startsWith(`${layer}:backward:batchNormTrainingGradient`)).length;
}

const grown = (b: GraphBuilder, x: string, layer: string) =>
  concat(b, [x, conv2d(b, `${layer}.conv`, relu(b, batchNorm2d(b, `${layer}.norm`, x)), { channels, kernel: 1 })]);

test('in a dense block each norm sums products and scales its gradient, and multiplies no image', () => {
  const nodes = backwardConvolutions((b, x) => relu(b, batchNorm2d(b, 'last', grown(b, grown(b, x, 'one'), 'two'))));
  assert.deepEqual(
    ['one.norm', 'two.norm', 'last'].map((layer) => ofNorm(nodes, layer)),
    [2, 2, 2],
  );
});

test('a norm whose image is no part of a join multiplies it itself', () => {
  const nodes = backwardConvolutions((b, x) => relu(b, batchNorm2d(b, 'alone', x)));
  assert.equal(ofNorm(nodes, 'alone'), 3);
});
