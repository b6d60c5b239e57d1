import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildNetwork,
  countParameters,
  listNetworks,
  namedNetwork,
  networkGraph,
  networkNames,
} from '../../../src/ml/networks/registry.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { topTensorsOfReport, trainableParameters } from '../../../src/ml/networks/trainableParameters.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { typeOf } from '../../../src/ml/graph/graph.ts';

const head = { hidden: [1024], dropout: 0.5, classes: 102 };

// From torchvision's documentation of its models, and the report for DenseNet-169's 508 tensors.
test('parameter counts are those that torchvision publishes', () => {
  const counts = new Map(networkNames.map((name) => [name, countParameters(name).parameters]));
  assert.equal(counts.get('resnet18'), 11_689_512);
  assert.equal(counts.get('resnet152'), 60_192_808);
  assert.equal(counts.get('densenet161'), 28_681_000);
  assert.equal(counts.get('squeezenet1_0'), 1_248_424);
  assert.equal(countParameters('densenet169').tensors, 508);
});

test('a network is known by its exact name, and an unknown one is answered with what lists them', () => {
  assert.equal(namedNetwork('densenet169').title, 'DenseNet-169');
  assert.equal(namedNetwork('squeezenet1_1').title, 'SqueezeNet 1.1');
  for (const name of ['resnet19', 'ResNet18', 'ConvNet0', 'ConvNet', 'ConvNet01', 'ConvNet1.5', 'toString']) {
    assert.throws(
      () => namedNetwork(name),
      (error) =>
        error instanceof RangeError && error.message.includes(name) && error.message.includes('fivecrop networks'),
    );
  }
});

test('the depth of a ConvNet is a parameter', () => {
  const deep = countParameters('ConvNet7');
  assert.equal(deep.tensors, 5 + 6 * 7);
  assert.equal(deep.parameters, 3 * 64 * 49 + 128 + 7 * (2 * 64 * 64 * 9 + 256) + 65_000);
});

test('every classifier sees the number of features that the list names', () => {
  for (const { name, classifier, features } of listNetworks()) {
    const graph = networkGraph(name, head);
    assert.deepEqual(typeOf(graph, `${classifier}.hidden_layers.0.weight`).shape, [1024, features], name);
    assert.deepEqual(typeOf(graph, graph.outputs[0] ?? '').shape, [1, 102], name);
  }
});

test('the head has the report’s module names and a mask for each dropout', () => {
  const graph = networkGraph('densenet169', { hidden: [64, 32], dropout: 0.5, classes: 10 });
  assert.deepEqual(graph.parameters.slice(-6), [
    'classifier.hidden_layers.0.weight',
    'classifier.hidden_layers.0.bias',
    'classifier.hidden_layers.1.weight',
    'classifier.hidden_layers.1.bias',
    'classifier.output.weight',
    'classifier.output.bias',
  ]);
  assert.deepEqual(graph.inputs, [
    'images',
    'classifier.hidden_layers.0.dropout.mask',
    'classifier.hidden_layers.1.dropout.mask',
  ]);
  assert.deepEqual(
    graph.nodes.slice(-8).map(({ operator }) => operator.name),
    ['linear', 'relu', 'dropout', 'linear', 'relu', 'dropout', 'linear', 'logSoftmax'],
  );
});

test('a head without hidden layers is one Linear', () => {
  const graph = networkGraph('resnet18', { hidden: [], dropout: 0.5, classes: 5 });
  assert.deepEqual(graph.parameters.slice(-2), ['fc.output.weight', 'fc.output.bias']);
  assert.deepEqual(graph.inputs, ['images']);
});

test('SqueezeNet keeps its convolution as its own classifier and drops it for a head', () => {
  const own = networkGraph('squeezenet1_1', 'original').parameters;
  assert.deepEqual(own.slice(-2), ['classifier.1.weight', 'classifier.1.bias']);
  const replaced = networkGraph('squeezenet1_1', head).parameters;
  assert.deepEqual(replaced.slice(0, -4), own.slice(0, -2));
  assert.ok(!replaced.includes('classifier.1.weight'));
});

test('the state dict counts batches after each running variance', () => {
  const shapes = [...stateShapes(networkGraph('ConvNet1', { hidden: [], dropout: 0, classes: 3 }))];
  assert.deepEqual(shapes.slice(0, 6), [
    ['conv1.weight', [64, 3, 7, 7]],
    ['batchnorm.weight', [64]],
    ['batchnorm.bias', [64]],
    ['batchnorm.running_mean', [64]],
    ['batchnorm.running_var', [64]],
    ['batchnorm.num_batches_tracked', []],
  ]);
  assert.equal(shapes.length, 3 + 3 + 2 * 6 + 2);
});

test('the state dict is the same whichever statistics batch norm uses', () => {
  const names = (batchNorm: 'running' | 'batch') => {
    const builder = createGraphBuilder(batchNorm);
    const output = buildNetwork('resnet18', builder, input(builder, 'images', [2, 3, 64, 64]), head);
    const graph = finishGraph(builder, [output]);
    return [graph.parameters, graph.buffers, graph.updates.size];
  };
  const [parameters, buffers, updates] = names('batch');
  assert.deepEqual([parameters, buffers], names('running').slice(0, 2));
  assert.equal(updates, 40);
});

// Engines run batches in parts of other sizes and join what comes out by name; kept features are found again by name.
test('the values of a network have the same names for one image as for several', () => {
  for (const network of listNetworks()) {
    const names = (batchSize: number) => {
      const graph = network.graph(head, { batchSize, size: 224 });
      return graph.nodes.map(({ operator, outputs }) => [operator.name, ...outputs]);
    };
    assert.deepEqual(names(1), names(3), network.name);
  }
});

test('every method trains exactly its own parameters', () => {
  for (const name of networkNames) {
    const graph = networkGraph(name, head);
    const { classifier } = namedNetwork(name);
    const headOnly = trainableParameters(graph, { method: 'head', classifier });
    assert.deepEqual([...headOnly], graph.parameters.slice(-4), name);
    assert.deepEqual([...trainableParameters(graph, { method: 'top', topTensors: 9 })], graph.parameters.slice(-9));
    assert.deepEqual([...trainableParameters(graph, { method: 'full' })], graph.parameters);
    assert.deepEqual([...trainableParameters(graph, { method: 'scratch' })], graph.parameters);
  }
});

test('a top that is not among the tensors is refused', () => {
  const graph = networkGraph('resnet18', head);
  for (const topTensors of [0, -1, 1.5, 65, NaN]) {
    assert.throws(() => trainableParameters(graph, { method: 'top', topTensors }), RangeError);
  }
  assert.equal(trainableParameters(graph, { method: 'top', topTensors: 64 }).size, 64);
});

test('the report’s number of trainable tensors is counted with the classifier that was replaced', () => {
  const total = networkGraph('densenet169', head).parameters.length;
  assert.equal(topTensorsOfReport('densenet169', 508, head), total);
  assert.equal(topTensorsOfReport('densenet169', 9999, head), total);
  for (const count of [0, 1, 2]) assert.equal(topTensorsOfReport('densenet169', count, head), 4);
  assert.equal(topTensorsOfReport('densenet169', 12, head), 14);
  assert.equal(topTensorsOfReport('resnet18', 12, { hidden: [] }), 12);
  // MaxViT's own classifier is a weight without a bias.
  const small = { hidden: [] };
  assert.deepEqual(
    [0, 1, 2, 12].map((count) => topTensorsOfReport('maxvit_t', count, small)),
    [2, 2, 3, 13],
  );
  assert.throws(() => topTensorsOfReport('densenet169', -1, head), RangeError);
});
