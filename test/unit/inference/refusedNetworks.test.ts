import assert from 'node:assert/strict';
import { test } from 'node:test';
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
