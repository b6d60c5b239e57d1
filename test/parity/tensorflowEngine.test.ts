import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildNetwork, namedNetwork, networkGraph } from '../../src/ml/networks/registry.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { trainableParameters, type TrainableChoice } from '../../src/ml/networks/trainableParameters.ts';
import { tensorflowEngine } from '../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import { createGraphBuilder, finishGraph, input } from '../../src/ml/graph/builder.ts';
import type { Graph } from '../../src/ml/graph/graph.ts';
import { float32Tensor, type Tensor } from '../../src/ml/graph/tensor.ts';
import { referenceInput, referenceState } from './referenceFill.ts';
import {
  readTorchReference,
  skipWithoutReference as skip,
  type TorchReference,
  type TrainCase,
} from './torchReference.ts';
import { adam, distance, firstGradients } from './trainingDeviation.ts';

/**
 * Training cases that plain JavaScript computes in seconds, with how many of torch's four steps are taken: one of
 * ResNet-18 in full takes 15 s. What is left out is checked through ONNX Runtime.
 */
const trained = new Map([
  ['ConvNet1 full, batch statistics', 4],
  ['resnet18 full, batch statistics', 1],
  ['resnet18 head, running statistics', 2],
]);
const caseName = ({ arch, mode, batch_norm }: TrainCase) => `${arch} ${mode}, ${batch_norm}`;

const reference: TorchReference = skip ? { eval: {}, train: [] } : readTorchReference();

test('the cases of torch are there', { skip }, () => {
  assert.equal(reference.train.filter((each) => trained.has(caseName(each))).length, trained.size);
});

function forwardGraph(
  { arch, input: size, head_hidden: hidden, classes }: TrainCase,
  batchNorm: 'running' | 'batch',
): Graph {
  const builder = createGraphBuilder(batchNorm);
  const images = input(builder, 'images', size);
  return finishGraph(builder, [buildNetwork(arch, builder, images, { hidden, dropout: 0, classes })]);
}

function feedsOf({ input: size, targets, classes }: TrainCase): Map<string, Tensor> {
  const rows = new Float32Array(targets.length * classes);
  targets.forEach((label, row) => (rows[row * classes + label] = 1 / targets.length));
  return new Map([
    ['images', referenceInput(size)],
    ['targets', float32Tensor([targets.length, classes], rows)],
  ]);
}

function choiceOf({ mode, top_tensors: topTensors, arch }: TrainCase): TrainableChoice {
  if (mode === 'top') return { method: 'top', topTensors };
  return mode === 'head' ? { method: 'head', classifier: namedNetwork(arch).classifier } : { method: 'full' };
}

for (const expected of reference.train) {
  const steps = trained.get(caseName(expected));
  if (steps === undefined) continue;
  const { arch, mode, batch_norm: batchNorm } = expected;
  test(`training ${arch} (${mode}, ${batchNorm}) follows torch's in TensorFlow.js`, async () => {
    const graph = forwardGraph(expected, batchNorm === 'batch statistics' ? 'batch' : 'running');
    const head = { hidden: expected.head_hidden, dropout: 0, classes: expected.classes };
    const state = referenceState(stateShapes(networkGraph(arch, head)));
    const model = await tensorflowEngine.compileTraining(
      () => graph,
      { state, optimizer: new Map(), step: 0 },
      {
        trainable: trainableParameters(graph, choiceOf(expected)),
        optimizer: adam,
        device: 'cpu',
      },
    );
    const feeds = feedsOf(expected);
    for (const [step, loss] of expected.losses.slice(0, steps).entries()) {
      const actual = (await model.step([feeds], expected.lr)).loss;
      assert.ok(Math.abs(actual - loss) < 1e-3 * loss, `loss of step ${step}: ${actual}, not ${loss}`);
      if (step > 0) continue;
      const gradients = firstGradients(await model.snapshot());
      for (const [name, summary] of Object.entries(expected.first_step_gradients)) {
        const off = distance(summary, gradients.get(name));
        assert.ok(off < 1e-3, `the gradient of ${name} is off by ${off} standard deviations`);
      }
    }
    const { state: moved } = await model.snapshot();
    await model.dispose();
    // torch's summary is of the last of its steps.
    if (steps < expected.losses.length) return;
    for (const [name, summary] of Object.entries(expected.after)) {
      const off = distance(summary, moved.get(name));
      assert.ok(off < 1e-2, `${name} after training is off by ${off} standard deviations`);
    }
  });
}
