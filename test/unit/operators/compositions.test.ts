import { test } from 'node:test';
import type { Engine } from '../../../src/ml/engine/engine.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { tensorflowEngine } from '../../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import { createGraphBuilder, finishGraph, input, parameter } from '../../../src/ml/graph/builder.ts';
import type { Axes, GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { webgpuLimits } from '../../../src/ml/lowering/webgpu/webgpuLimits.ts';
import { squeezeExcite } from '../../../src/ml/networks/layers/squeezeExcite.ts';
import { geluTanh, hardSigmoid, relu6 } from '../../../src/ml/operators/activation/activations.ts';
import { gelu } from '../../../src/ml/operators/activation/gelu.ts';
import { hardSwish } from '../../../src/ml/operators/activation/hardSwish.ts';
import { silu } from '../../../src/ml/operators/activation/silu.ts';
import { compare, max, mul, select, sub } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { layerScale } from '../../../src/ml/operators/elementwise/layerScale.ts';
import { exp, log } from '../../../src/ml/operators/elementwise/unary.ts';
import { largest, mean } from '../../../src/ml/operators/reduce/meanAndMax.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { multiheadSelfAttention } from '../../../src/ml/operators/matmul/attention.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { gridAngles, rotaryPosition } from '../../../src/ml/operators/matmul/rotaryPosition.ts';
import { cosineWindowAttention, windowAttention } from '../../../src/ml/operators/matmul/windowAttention.ts';
import { flatten } from '../../../src/ml/operators/movement/reshape.ts';
import { channelShuffle } from '../../../src/ml/operators/movement/shuffle.ts';
import { globalResponseNorm } from '../../../src/ml/operators/norm/globalResponseNorm.ts';
import { layerNorm, layerNorm2d, rmsNorm } from '../../../src/ml/operators/norm/layerNorm.ts';
import { adaptiveAveragePool2d } from '../../../src/ml/operators/pooling/adaptiveAveragePool.ts';
import { checkGradients } from '../engine/checkGradients.ts';
import { doubleEngine } from '../engine/doubleEngine.ts';
import { seed } from '../engine/seed.ts';
import { webgpuFormsEngine } from '../engine/webgpuFormsEngine.ts';

interface Composition {
  readonly shape: readonly number[];
  readonly axes?: Axes;
  readonly build: (builder: GraphBuilder, x: string) => string;
}

const map = [2, 4, 5, 3];
const tokens = [2, 5, 6];

const compositions: Readonly<Record<string, Composition>> = {
  ReLU6: { shape: map, axes: 'image', build: relu6 },
  SiLU: { shape: map, axes: 'image', build: silu },
  'hard sigmoid': { shape: map, axes: 'image', build: hardSigmoid },
  'hard swish': { shape: map, axes: 'image', build: hardSwish },
  GELU: { shape: tokens, build: gelu },
  'GELU by tanh': { shape: tokens, build: geluTanh },
  'squeeze-and-excite': {
    shape: map,
    axes: 'image',
    build: (b, x) => squeezeExcite(b, 's', x, { squeezed: 3, activation: silu }),
  },
  'layer norm': { shape: tokens, build: (b, x) => layerNorm(b, 'n', x) },
  'layer norm over channels': { shape: map, axes: 'image', build: (b, x) => layerNorm2d(b, 'n', x) },
  'RMS norm': { shape: tokens, build: (b, x) => rmsNorm(b, 'n', x) },
  'self-attention': { shape: tokens, build: (b, x) => multiheadSelfAttention(b, 'a', x, 2) },
  'attention in windows': {
    shape: [1, 4, 4, 4],
    build: (b, x) => windowAttention(b, 'a', x, { heads: 2, window: 2, shift: 0 }),
  },
  'attention in shifted windows': {
    shape: [2, 4, 6, 4],
    build: (b, x) => windowAttention(b, 'a', x, { heads: 2, window: 2, shift: 1 }),
  },
  'attention in padded windows': {
    shape: [1, 3, 5, 4],
    build: (b, x) => windowAttention(b, 'a', x, { heads: 2, window: 2, shift: 1 }),
  },
  'attention by cosine in shifted windows': {
    shape: [1, 4, 4, 4],
    build: (b, x) => cosineWindowAttention(b, 'a', x, { heads: 2, window: 2, shift: 1 }),
  },
  'rotary positions': { shape: [1, 2, 5, 4], build: (b, x) => rotaryPosition(b, x, gridAngles([2, 2], 4, 100)) },
  'global response norm': { shape: map, axes: 'image', build: (b, x) => globalResponseNorm(b, 'n', x) },
  'global response norm, channels last': { shape: map, build: (b, x) => globalResponseNorm(b, 'n', x) },
  'adaptive average pooling': { shape: map, axes: 'image', build: (b, x) => adaptiveAveragePool2d(b, x, 2) },
  'channel shuffle': { shape: [1, 6, 2, 2], axes: 'image', build: (b, x) => channelShuffle(b, x, 3) },
  'the larger of two values': { shape: tokens, build: (b, x) => max(b, x, parameter(b, 'other', tokens)) },
  'a choice by comparison': {
    shape: tokens,
    build: (b, x) => {
      const other = parameter(b, 'other', tokens);
      return select(b, compare(b, x, other, 'greater'), x, other);
    },
  },
  'the log of the mean of exponentials': {
    shape: tokens,
    build: (b, x) => log(b, mean(b, exp(b, sub(b, x, largest(b, x, [2]))), [2])),
  },
  'layer scale': { shape: tokens, build: (b, x) => layerScale(b, x, parameter(b, 'gamma', [6, 1, 1])) },
};

const engines: readonly { name: string; engine: Engine; tolerance: number }[] = [
  { name: 'ONNX Runtime', engine: onnxEngine, tolerance: 1e-3 },
  { name: 'ONNX Runtime in float64', engine: doubleEngine, tolerance: 1e-6 },
  { name: 'the forms for WebGPU', engine: webgpuFormsEngine(webgpuLimits), tolerance: 1e-3 },
  { name: 'TensorFlow.js', engine: tensorflowEngine, tolerance: 1e-3 },
];

for (const [title, { shape, axes, build }] of Object.entries(compositions)) {
  for (const { name, engine, tolerance } of engines) {
    test(`the gradients through ${title} in ${name} are those of finite differences`, async () => {
      const builder = createGraphBuilder();
      const fed = input(builder, 'x', shape, 'float32', axes ?? 'plain');
      const x = mul(builder, fed, parameter(builder, 'factors', shape, axes ?? 'plain'));
      const row = flatten(builder, build(builder, x));
      const graph = finishGraph(builder, [logSoftmax(builder, linear(builder, 'behind', row, 3))]);
      await checkGradients([{ engine, tolerance }], graph, createRandom(seed, title));
    });
  }
}
