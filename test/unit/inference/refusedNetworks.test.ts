import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countParameters, listNetworks, networkNames } from '../../../src/ml/networks/registry.ts';
import { pretrainedGraph } from '../../../src/ml/inference/pretrainedGraph.ts';

// A mirror that is not there: whatever is looked for in it fails with another sentence.
const nowhere = { weightsFolder: '/nowhere', mirror: '/nowhere' };

test('a network that cannot classify, or cannot run, is refused before its weights are looked for', async () => {
  await assert.rejects(pretrainedGraph({ name: 'timm/vit_small_patch14_dinov2.lvd142m' }, nowhere), {
    name: 'UserError',
    message:
      'timm/vit_small_patch14_dinov2.lvd142m has no classes of its own, so nothing can be classified with it: train a head on it, or choose another network.',
  });
  await assert.rejects(pretrainedGraph({ name: 'vit_h_14' }, nowhere), {
    name: 'UserError',
    message:
      /^The network and its head would have 634 million parameters, and 530 are the most that an ONNX model holds/u,
  });
});

test('what is too large for a model is in no list', () => {
  const listed = new Set(listNetworks().map(({ name }) => name));
  const left = networkNames.filter((name) => !listed.has(name));
  assert.deepEqual(left, ['regnet_y_128gf', 'vit_h_14']);
  for (const name of left) assert.ok(countParameters(name).parameters > 530_000_000);
  for (const name of ['vit_l_16', 'vgg19']) assert.ok(listed.has(name));
});
