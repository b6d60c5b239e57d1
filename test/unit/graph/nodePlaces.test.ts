import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildNetwork } from '../../../src/ml/networks/registry.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { multiheadSelfAttention } from '../../../src/ml/operators/matmul/attention.ts';
import { nodePlaces, parsePlaceName, placeName } from '../../../src/ml/graph/nodePlaces.ts';
import { fullStep } from '../../../src/ml/passes/trainingStep.ts';

function resnetStep() {
  const builder = createGraphBuilder('batch');
  const images = input(builder, 'images', [2, 3, 64, 64]);
  const forward = finishGraph(builder, [logSoftmax(builder, buildNetwork('resnet18', builder, images, 'original'))]);
  const optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
  return fullStep(forward, { trainable: new Set(forward.parameters), optimizer, clipNorm: 1 });
}

test('each node of a training step belongs to the layer whose parameters it uses or whose gradient it computes', () => {
  const step = resnetStep();
  const places = nodePlaces(step);
  const layersOf = (name: string) =>
    step.nodes.flatMap(({ operator }, index) => (operator.name === name ? [places[index]?.layer] : []));
  const convolutions = layersOf('conv2d');
  assert.equal(convolutions.length, 20);
  assert.deepEqual(convolutions.slice(0, 3), ['conv1', 'layer1.0.conv1', 'layer1.0.conv2']);
  assert.ok(convolutions.includes('layer2.0.downsample.0'));
  // The weights are no input of their gradient, and the two convolutions after a block read the same image.
  assert.deepEqual(layersOf('conv2dWeightGradient').reverse(), convolutions);
  assert.deepEqual(new Set(layersOf('conv2dInputGradient')), new Set(convolutions.slice(1)));
  assert.deepEqual(new Set(layersOf('reluGradient')), new Set(layersOf('relu')));
  assert.deepEqual(new Set(layersOf('adamUpdate')).size, 41, 'every module with parameters');
  assert.deepEqual(layersOf('normalize'), []);
});

test('a step is forward to the loss, backward to the gradients, and update from there', () => {
  const step = resnetStep();
  const phases = nodePlaces(step).map(({ phase }) => phase);
  const changes = phases.filter((phase, index) => phase !== phases[index - 1]);
  assert.deepEqual(changes, ['forward', 'backward', 'update']);
});

test('a node’s name can be read back from what ONNX Runtime makes of it', () => {
  const place = { layer: 'features.denseblock1.denselayer2.conv1', phase: 'backward' } as const;
  const name = placeName('conv2dWeightGradient', place);
  const expected = { ...place, operator: 'conv2dWeightGradient' };
  assert.deepEqual(parsePlaceName(`${name}:MatMul_12`), expected);
  assert.deepEqual(parsePlaceName(`fused ${name}:MatMul_12/MatMulScaleFusion/`), expected);
  assert.equal(parsePlaceName('MobilenetV2/Conv/Relu6'), undefined);
});

test('a module whose parameters have names of their own is known by what stands before them', () => {
  const builder = createGraphBuilder();
  const tokens = input(builder, 'tokens', [2, 3, 4]);
  const graph = finishGraph(builder, [multiheadSelfAttention(builder, 'encoder.0.self_attention', tokens, 2)]);
  const layers = new Set(nodePlaces(graph).map(({ layer }) => layer));
  assert.ok(layers.has('encoder.0.self_attention'));
  assert.ok(![...layers].some((layer) => layer.includes('in_proj')));
});
