import { InferenceSession } from 'onnxruntime-node';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { selfCheck, tinySizes } from '../../src/ml/engine/selfCheck.ts';
import {
  averagePool2d,
  batchNorm2d,
  concat,
  conv2d,
  createGraphBuilder,
  dropout,
  finishGraph,
  globalAveragePool,
  input,
  linear,
  logSoftmax,
  maxPool2d,
  normalize,
  relu,
} from '../../src/ml/graph/builder.ts';
import type { Graph } from '../../src/ml/graph/graph.ts';
import { webgpuLimits } from '../../src/ml/graph/onnx/webgpuWeightGradient.ts';
import { writeOnnx } from '../../src/ml/graph/onnx/writeOnnx.ts';
import type { Optimizer } from '../../src/ml/graph/optimizers.ts';
import { accumulationStep, fullStep, gradientStep, updateStep } from '../../src/ml/graph/trainingStep.ts';

/*
 * What webgpu.test.ts runs in a process that has a Vulkan device from its start: `check` prints the self-check;
 * `place` lets ONNX Runtime say on stderr which provider gets which operator of a run’s graphs, and prints how many graphs there were.
 */

/** With the operators of a training step that the self-check's network lacks. */
function network(batchNorm: 'running' | 'batch'): Graph {
  const b = createGraphBuilder(batchNorm);
  const pixels = input(b, 'pixels', [2, 3, 16, 16], 'uint8');
  const images = normalize(b, pixels, { scale: [0.1, 0.1, 0.1], shift: [0, 0, 0], order: [2, 1, 0] });
  const stem = batchNorm2d(b, 'norm', conv2d(b, 'stem', images, { channels: 8, kernel: 7, stride: 2, padding: 3 }));
  const pooled = maxPool2d(b, relu(b, stem), { kernel: 3, stride: 2, ceilMode: true });
  const grown = concat(b, [pooled, conv2d(b, 'grow', pooled, { channels: 8, kernel: 3, padding: 1 })]);
  const halved = averagePool2d(b, conv2d(b, 'narrow', grown, { channels: 8, kernel: 1 }), { kernel: 2, stride: 2 });
  const features = dropout(b, 'drop', globalAveragePool(b, halved), 0.5);
  return finishGraph(b, [logSoftmax(b, linear(b, 'fc', features, 3))]);
}

const optimizers: Optimizer[] = [
  { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 },
  { kind: 'sgd', momentum: 0.9, weightDecay: 0.1 },
];

/** Every kind of graph that a run has: whole steps, the parts of a step in parts, and a validation. */
function graphs(): Graph[] {
  return (['batch', 'running'] as const).flatMap((batchNorm) => {
    const forward = network(batchNorm);
    const trainable = new Set(forward.parameters);
    const updates = optimizers.flatMap((optimizer) => {
      const options = { trainable, optimizer, clipNorm: 1 };
      return [fullStep(forward, options), updateStep(forward, options)];
    });
    return [...updates, accumulationStep(forward, trainable), gradientStep(forward, trainable), forward];
  });
}

async function place(): Promise<number> {
  const all = graphs();
  for (const graph of all) {
    const model = writeOnnx(graph, {
      constants: new Map(),
      outputs: [...graph.updates.values()],
      webgpu: webgpuLimits,
    });
    const session = await InferenceSession.create(model, {
      executionProviders: ['webgpu', 'cpu'],
      logSeverityLevel: 0,
      logVerbosityLevel: 1,
    });
    await session.release();
  }
  return all.length;
}

if (process.argv[2] === 'place') console.log(await place());
else console.log(JSON.stringify(await selfCheck(onnxEngine, 'webgpu', tinySizes)));
// Not every driver lets its process end by itself.
process.exit(0);
