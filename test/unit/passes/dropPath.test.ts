import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { isNode, typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import { layerGroups, layerNumbers } from '../../../src/ml/networks/layerGroups.ts';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { add } from '../../../src/ml/operators/elementwise/arithmetic.ts';
import { dropoutOperator } from '../../../src/ml/operators/elementwise/dropout.ts';
import { withDropPath } from '../../../src/ml/passes/dropPath.ts';
import { withoutDropout } from '../../../src/ml/passes/withoutDropout.ts';
import { learningPlan } from '../../../src/ml/training/loop/learningPlan.ts';
import { runNetwork } from '../../../src/ml/training/run/runNetwork.ts';
import { tinyConfig } from '../training/tinyDataset.ts';

function dropped(name: string, rate: number, trainable?: (parameter: string) => boolean) {
  const network = namedNetwork(name);
  const graph = network.graph({ hidden: [], dropout: 0, classes: 3 }, { batchSize: 2, size: 224 });
  const of = layerNumbers(layerGroups(graph, network.classifier));
  const moves = new Set(graph.parameters.filter(trainable ?? (() => true)));
  return { graph, dropping: withDropPath(graph, rate, moves, (parameter) => of.get(parameter) ?? 0) };
}

function ratesOf(graph: Graph | undefined): number[] {
  return (graph?.nodes ?? []).flatMap((node) => (isNode(node, dropoutOperator) ? [node.attributes.rate] : []));
}

test('the rates of ConvNeXt and Swin are torchvision’s: linear in the number of the block', () => {
  const close = (rates: readonly number[], expected: readonly number[]) => {
    assert.equal(rates.length, expected.length);
    rates.forEach((rate, index) => assert.ok(Math.abs(rate - (expected[index] ?? NaN)) < 1e-12));
  };
  // torchvision: stochastic_depth_prob * block / (blocks - 1); the first, which is 0, is left out.
  close(
    ratesOf(dropped('convnext_tiny', 0.1).dropping),
    Array.from({ length: 17 }, (_, index) => (0.1 * (index + 1)) / 17),
  );
  close(
    ratesOf(dropped('swin_t', 0.2).dropping),
    Array.from({ length: 22 }, (_, index) => (0.2 * (Math.floor(index / 2) + 1)) / 11),
  );
});

test('a mask has one number an image, and without masks the graph is the one before', () => {
  const { graph, dropping } = dropped('resnet18', 0.3);
  assert.ok(dropping);
  const masks = dropping.inputs.filter((name) => name.endsWith('.mask'));
  assert.equal(masks.length, 7);
  for (const mask of masks) assert.deepEqual(typeOf(dropping, mask).shape, [2, 1, 1, 1]);
  assert.deepEqual(withoutDropout(dropping).nodes, graph.nodes);
});

test('two convolutions side by side are no residual block, and with a shortcut around both they are dropped together', () => {
  const builder = createGraphBuilder();
  const images = input(builder, 'images', [2, 8, 6, 6]);
  const beside = (name: string, x: string) =>
    add(
      builder,
      conv2d(builder, `${name}.wide`, x, { channels: 8, kernel: 3, padding: 1, bias: false }),
      conv2d(builder, `${name}.narrow`, x, { channels: 8, kernel: 1, bias: false }),
    );
  const stem = beside('stem', images);
  const branch = beside('block', stem);
  const graph = finishGraph(builder, [add(builder, branch, stem)]);
  const dropping = withDropPath(graph, 0.3, new Set(graph.parameters), () => 0);
  assert.deepEqual(dropping?.inputs, ['images', `${branch}.drop_path.mask`]);
});

test('only blocks that train are dropped, and a network without any is refused', () => {
  const { dropping } = dropped('resnet18', 0.3, (name) => name.startsWith('layer4.') || name.startsWith('fc.'));
  assert.deepEqual(ratesOf(dropping), [0.3]);
  assert.equal(dropped('densenet121', 0.3).dropping, undefined);
  assert.throws(() => runNetwork(tinyConfig('data', { dropPath: 0.2 }), namedNetwork('ConvNet1'), 2), {
    name: 'UserError',
    message: /`dropPath` \(--drop-path\) leaves out residual blocks, .* none of this network trains/,
  });
});

test('layers are torchvision’s blocks: those of ViT as BEiT counts them, those of ResNet by their names', () => {
  const layersOf = (name: string) => {
    const network = namedNetwork(name);
    const graph = network.graph({ hidden: [], dropout: 0, classes: 3 }, { batchSize: 1, size: 224 });
    const layers = layerGroups(graph, network.classifier);
    assert.deepEqual([...layers.flat()].sort(), [...graph.parameters].sort());
    return layers;
  };
  assert.equal(layersOf('vit_b_16').length, 12 + 2);
  const resnet = layersOf('resnet18');
  assert.equal(resnet.length, 8 + 2);
  assert.ok(resnet.at(-2)?.every((name) => name.startsWith('layer4.1.')));
  assert.deepEqual(resnet.at(-1), ['fc.output.weight', 'fc.output.bias']);
});

test('images grow in whole steps to their full size in the last epoch', () => {
  const config = tinyConfig('data', { imageSize: 224, resize: 255, startSize: 128, epochs: 5 });
  const plan = learningPlan(config, runNetwork(config, namedNetwork('ConvNet1'), 2), 10);
  assert.deepEqual([0, 1, 2, 3, 4, 7].map(plan.sizeAt), [128, 160, 192, 192, 224, 224]);
  const refused = (settings: Parameters<typeof tinyConfig>[1], name: string, message: RegExp) => {
    assert.throws(() => runNetwork(tinyConfig('data', settings), namedNetwork(name), 2), {
      name: 'UserError',
      message,
    });
  };
  refused(
    { method: 'head', startSize: 16 },
    'ConvNet1',
    /only be used with the methods full and scratch, not with head/,
  );
  refused({ startSize: 300 }, 'ConvNet1', /is above the image size 32/);
  refused({ imageSize: 224, resize: 255, startSize: 112 }, 'vit_b_16', /depend on the size of its images/);
});
