import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseBeyondMemory, refuseUnusable } from '../../../src/ml/networks/graphLimits.ts';
import { listNetworks, networkGraph, networkNames } from '../../../src/ml/networks/registry.ts';
import { pretrainedGraph } from '../../../src/ml/inference/pretrainedGraph.ts';

// A mirror that is not there: whatever is looked for in it fails with another sentence.
const nowhere = { weightsFolder: '/nowhere', mirror: '/nowhere' };

test('a network that cannot classify is refused before its weights are looked for', async () => {
  await assert.rejects(pretrainedGraph({ name: 'timm/vit_small_patch14_dinov2.lvd142m' }, nowhere), {
    name: 'UserError',
    message:
      'timm/vit_small_patch14_dinov2.lvd142m has no classes of its own, so nothing can be classified with it: train a head on it, or choose another network.',
  });
});

test('the largest networks are listed, and refused no more than others', async () => {
  assert.deepEqual(
    listNetworks().map(({ name }) => name),
    networkNames,
  );
  for (const name of ['vit_h_14', 'regnet_y_128gf']) {
    refuseUnusable(networkGraph(name, 'original'), 'running');
    await assert.rejects(pretrainedGraph({ name }, nowhere), /has the pretrained weights of/u);
  }
});

test('a head of billions of parameters is refused', () => {
  const graph = networkGraph('resnet18', { hidden: [50_000, 50_000], dropout: 0, classes: 2 });
  assert.throws(
    () => {
      refuseUnusable(graph, 'running');
    },
    {
      name: 'RangeError',
      message:
        'the network and its head would have 2,537 million parameters, and 2,000 million are the most: use a smaller network or smaller hidden layers',
    },
  );
});

test('training is refused where parameters, moments, gradients and what follows them exceed the memory', () => {
  const graph = networkGraph('resnet18', { hidden: [], dropout: 0, classes: 1000 });
  const all = new Set(graph.parameters);
  // ResNet-18 has 11,689,512 parameters. By Adam: 2 x (itself and two moments) and the gradient, of 4 bytes each.
  const needed = 11_689_512 * 4 * 7;
  refuseBeyondMemory(graph, all, 2, needed);
  refuseBeyondMemory(graph, new Set(['fc.output.weight', 'fc.output.bias']), 2, needed / 10);
  assert.throws(
    () => {
      refuseBeyondMemory(graph, all, 2, needed - 1);
    },
    {
      name: 'RangeError',
      message:
        'to train 12 million parameters takes at least 1 GB of memory, and this machine has 1: train fewer layers, such as the head alone, or use a smaller network or smaller hidden layers',
    },
  );
});
