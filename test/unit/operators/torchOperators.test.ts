import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { tensorflowEngine } from '../../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import { createGraphBuilder, finishGraph, input, parameter } from '../../../src/ml/graph/builder.ts';
import type { GraphBuilder } from '../../../src/ml/graph/graph.ts';
import { float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { squeezeExcite } from '../../../src/ml/networks/layers/squeezeExcite.ts';
import { geluTanh, hardSigmoid, relu6 } from '../../../src/ml/operators/activation/activations.ts';
import { gelu } from '../../../src/ml/operators/activation/gelu.ts';
import { hardSwish } from '../../../src/ml/operators/activation/hardSwish.ts';
import { silu } from '../../../src/ml/operators/activation/silu.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import {
  attention,
  joinHeads,
  multiheadSelfAttention,
  splitHeads,
} from '../../../src/ml/operators/matmul/attention.ts';
import { applyLinear, linear } from '../../../src/ml/operators/matmul/linear.ts';
import { gridAngles, rotaryPosition } from '../../../src/ml/operators/matmul/rotaryPosition.ts';
import { cosineWindowAttention, windowAttention } from '../../../src/ml/operators/matmul/windowAttention.ts';
import { flatten } from '../../../src/ml/operators/movement/reshape.ts';
import { channelShuffle } from '../../../src/ml/operators/movement/shuffle.ts';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { globalResponseNorm } from '../../../src/ml/operators/norm/globalResponseNorm.ts';
import { layerNorm, layerNorm2d, rmsNorm } from '../../../src/ml/operators/norm/layerNorm.ts';
import { adaptiveAveragePool2d } from '../../../src/ml/operators/pooling/adaptiveAveragePool.ts';
import { averagePool2d } from '../../../src/ml/operators/pooling/averagePool.ts';
import { assertClose } from '../engine/graphValues.ts';

interface Case {
  readonly shape: readonly number[];
  readonly x: readonly number[];
  readonly state: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>;
  readonly head: readonly number[];
  readonly targets: readonly number[];
  readonly scores: readonly number[];
  readonly buffers: Readonly<Record<string, readonly number[]>>;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

const fixture = JSON.parse(readFileSync(new URL('../../fixtures/torch_operators.json', import.meta.url), 'utf8')) as {
  readonly cases: Readonly<Record<string, Case>>;
};

/** The same modules here, named `m`. */
const modules: Readonly<Record<string, (builder: GraphBuilder, x: string) => string>> = {
  relu6,
  silu,
  hardsigmoid: hardSigmoid,
  hardswish: hardSwish,
  gelu,
  gelu_tanh: geluTanh,
  layer_norm: (b, x) => layerNorm(b, 'm', x, 1e-6),
  layer_norm_2d: (b, x) => layerNorm2d(b, 'm', x, 1e-6),
  rms_norm: (b, x) => rmsNorm(b, 'm', x, 1e-6),
  attention: (b, x) => multiheadSelfAttention(b, 'm', x, 2),
  window_attention: (b, x) => windowAttention(b, 'm', x, { heads: 2, window: 2, shift: 0 }),
  shifted_window_attention: (b, x) => windowAttention(b, 'm', x, { heads: 2, window: 2, shift: 1 }),
  padded_window_attention: (b, x) => windowAttention(b, 'm', x, { heads: 2, window: 3, shift: 1 }),
  cosine_window_attention: (b, x) => cosineWindowAttention(b, 'm', x, { heads: 2, window: 2, shift: 1 }),
  rotary_attention: (b, x) => rotaryAttention(b, 'm', x),
  global_response_norm: (b, x) => globalResponseNorm(b, 'm', x),
  global_response_norm_last: (b, x) => globalResponseNorm(b, 'm', x),
  squeeze_excite: (b, x) => squeezeExcite(b, 'm', x, { squeezed: 2, activation: silu }),
  channel_shuffle: (b, x) => channelShuffle(b, x, 3),
  depthwise: (b, x) => conv2d(b, 'm', x, { channels: 4, kernel: 5, stride: 2, padding: 2, groups: 4 }),
  depthwise_multiplier: (b, x) => conv2d(b, 'm', x, { channels: 8, kernel: 3, padding: 1, groups: 4, bias: false }),
  grouped: (b, x) => conv2d(b, 'm', x, { channels: 6, kernel: [3, 2], stride: [2, 1], padding: [1, 0], groups: 2 }),
  dilated: (b, x) => conv2d(b, 'm', x, { channels: 3, kernel: 3, padding: 2, dilation: [2, 1] }),
  average_pool: (b, x) => averagePool2d(b, x, { kernel: 3, stride: 2, padding: 1 }),
  average_pool_ceil: (b, x) => averagePool2d(b, x, { kernel: 3, stride: 2, padding: 1, ceilMode: true }),
  adaptive_average_pool: (b, x) => adaptiveAveragePool2d(b, x, 3),
  batch_norm: (b, x) => batchNorm2d(b, 'm', x, { epsilon: 1e-3, momentum: 0.03 }),
};

/** DINOv3's attention as timm has it, over a class token and a grid of 2 by 3. */
function rotaryAttention(builder: GraphBuilder, name: string, x: string): string {
  const positions = gridAngles([2, 3], 4, 100);
  const { query, key, value } = splitHeads(builder, linear(builder, `${name}.qkv`, x, 24, false), 2);
  const turned = {
    query: rotaryPosition(builder, query, positions),
    key: rotaryPosition(builder, key, positions),
    value,
  };
  return linear(builder, `${name}.proj`, joinHeads(builder, attention(builder, turned)), 8);
}

/** Modules over tokens, or over values with their features last; the others take images. */
const plain = new Set([
  'gelu',
  'gelu_tanh',
  'layer_norm',
  'rms_norm',
  'attention',
  'window_attention',
  'shifted_window_attention',
  'padded_window_attention',
  'cosine_window_attention',
  'rotary_attention',
  'global_response_norm_last',
]);

test('every module that torch computed is here', () => {
  assert.deepEqual(Object.keys(modules), Object.keys(fixture.cases));
});

for (const [name, build] of Object.entries(modules)) {
  for (const engine of [onnxEngine, tensorflowEngine]) {
    test(`${name} has torch's results, gradients and statistics in ${engine.name}`, async () => {
      const known = fixture.cases[name];
      assert.ok(known);
      const builder = createGraphBuilder('batch');
      const axes = plain.has(name) ? 'plain' : 'image';
      const [rows = 1] = known.shape;
      const fed = input(builder, 'zeros', known.shape, 'float32', axes);
      const x = add(builder, fed, parameter(builder, 'x', known.shape, axes));
      const row = flatten(builder, build(builder, x));
      const columns = known.head.length / 3;
      const head = parameter(builder, 'head', [3, columns]);
      const graph = finishGraph(builder, [logSoftmax(builder, applyLinear(builder, row, head))]);
      const tensor = (shape: readonly number[], data: readonly number[]) =>
        float32Tensor(shape, Float32Array.from(data));
      const state = new Map<string, Tensor>([
        ['x', tensor(known.shape, known.x)],
        ...Object.entries(known.state).map(([own, { shape, data }]) => [`m.${own}`, tensor(shape, data)] as const),
        ['head', tensor([3, columns], known.head)],
      ]);
      const optimizer = { kind: 'sgd', momentum: 0, weightDecay: 0 } as const;
      const trainable = new Set(graph.parameters.filter((own) => own !== 'head'));
      const model = await engine.compileTraining(
        () => graph,
        { state, optimizer: new Map(), step: 0 },
        { trainable, optimizer, device: 'cpu' },
      );
      const feeds = new Map([
        ['zeros', float32Tensor(known.shape)],
        ['targets', tensor([rows, 3], known.targets)],
      ]);
      const gradients = await model.gradients(feeds);
      const { logProbabilities } = await model.step([feeds], 0);
      const after = await model.snapshot();
      await model.dispose();
      const close = (actual: Tensor | undefined, expected: readonly number[], what: string) => {
        assertClose(Array.from(actual?.data ?? [], Number), expected, 2e-5, what);
      };
      close(logProbabilities, known.scores, 'the scores');
      assert.equal(gradients.size, Object.keys(known.gradients).length);
      for (const [own, gradient] of Object.entries(known.gradients)) {
        close(gradients.get(own === 'x' ? own : `m.${own}`), gradient, own);
      }
      for (const [own, value] of Object.entries(known.buffers)) {
        if (graph.buffers.includes(`m.${own}`)) close(after.state.get(`m.${own}`), value, own);
      }
    });
  }
}
