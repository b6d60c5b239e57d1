import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { locateBackbone } from '../../../src/ml/weights/onnxBackbones.ts';
import { backboneNames } from '../../../src/protocol/backboneNames.ts';

test('a wrong short name of a backbone is answered with the right ones', async () => {
  const file = resolve('dinov2-smal');
  await assert.rejects(locateBackbone({ file }), ({ message }: Error) => {
    assert.match(message, /dinov2-smal is not the short name of a backbone; did you mean dinov2-small\?/);
    for (const name of backboneNames) assert.ok(message.includes(name), name);
    return true;
  });
  await assert.rejects(
    locateBackbone({ file: resolve('nothing like it') }),
    /a backbone\. The short names are dinov2-/,
  );
});

test('what is not a short name is left as it is', async () => {
  for (const file of [resolve('missing.onnx'), resolve('package.json'), import.meta.dirname]) {
    assert.deepEqual(await locateBackbone({ file }), { file });
  }
});
