import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../../src/ml/engine/engine.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { tensorflowEngine } from '../../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import { typeOf } from '../../../src/ml/graph/graph.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { webgpuLimits } from '../../../src/ml/lowering/webgpu/webgpuLimits.ts';
import { operators } from '../../../src/ml/operators/index.ts';
import { blockedFormsEngine } from '../engine/blockedFormsEngine.ts';
import { checkGradients } from '../engine/checkGradients.ts';
import { doubleEngine } from '../engine/doubleEngine.ts';
import { runDouble } from '../engine/doubleForward.ts';
import { assertClose, doubles } from '../engine/graphValues.ts';
import { seed } from '../engine/seed.ts';
import { webgpuFormsEngine } from '../engine/webgpuFormsEngine.ts';
import { blockedNetwork, forwardNetwork, gradientNetwork, sampleValues } from './sampleNetwork.ts';

const engines: readonly { name: string; engine: Engine; forward: boolean; tolerance: number }[] = [
  { name: 'ONNX Runtime', engine: onnxEngine, forward: true, tolerance: 1e-3 },
  { name: 'ONNX Runtime in float64', engine: doubleEngine, forward: false, tolerance: 1e-6 },
  { name: 'the forms for WebGPU', engine: webgpuFormsEngine(webgpuLimits), forward: false, tolerance: 1e-3 },
  { name: 'TensorFlow.js', engine: tensorflowEngine, forward: true, tolerance: 1e-3 },
];

test('no two operators have one name', () => {
  assert.equal(new Set(operators.map(({ name }) => name)).size, operators.length);
});

for (const record of operators) {
  for (const [title, sample] of Object.entries(record.samples ?? {})) {
    for (const { name, engine, forward, tolerance } of engines) {
      if (forward) {
        test(`${record.name} of ${title} computes in ${name} what its reference says`, async () => {
          const graph = forwardNetwork(record, sample);
          const values = sampleValues(graph, sample, createRandom(seed, record.name, title));
          const model = await engine.compileInference(() => graph, new Map(), 'cpu');
          const outputs = await model.run(values);
          await model.dispose();
          const expected = runDouble(graph, doubles(values));
          for (const output of graph.outputs) {
            const actual = outputs.get(output);
            assert.deepEqual(actual?.shape, typeOf(graph, output).shape);
            assertClose(Array.from(actual.data, Number), expected.get(output) ?? [], 1e-5, output);
          }
        });
      }
      const differentiable = record.gradient && sample.inputs.some(({ fixed }) => !fixed);
      if (differentiable) {
        test(`the gradients of ${record.name} of ${title} in ${name} are those of finite differences`, async () => {
          const graph = gradientNetwork(record, sample);
          const random = createRandom(seed, record.name, title);
          await checkGradients([{ engine, tolerance }], graph, random, { values: sampleValues(graph, sample, random) });
        });
      }
    }
    const inBlocks = record.gradient && blockedNetwork(record, sample);
    if (inBlocks) {
      test(`the gradients of ${record.name} of ${title} in blocks of channels are those of finite differences`, async () => {
        const random = createRandom(seed, record.name, title, 'blocks');
        const values = sampleValues(inBlocks.graph, inBlocks.sample, random);
        await checkGradients([{ engine: blockedFormsEngine() }], inBlocks.graph, random, { values });
      });
    }
  }
}
