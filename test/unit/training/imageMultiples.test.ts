import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { runNetwork } from '../../../src/ml/training/run/runNetwork.ts';
import { tinyConfig } from './tinyDataset.ts';

test('a transformer takes images whose side is a multiple of its patch, and has a position for each patch', () => {
  const network = namedNetwork('vit_b_32');
  const sized = (imageSize: number) =>
    runNetwork(tinyConfig('data', { imageSize, resize: undefined, method: 'head' }), network, 2);
  const graph = sized(96).whole(1);
  assert.deepEqual(graph.types.get('encoder.pos_embedding')?.shape, [1, 1 + 3 * 3, 768]);
  assert.throws(() => sized(100), {
    name: 'UserError',
    message:
      'The network takes images whose side is a multiple of 32 pixels, and 100 is not: set `imageSize` (--image-size) to 96.',
  });
});
