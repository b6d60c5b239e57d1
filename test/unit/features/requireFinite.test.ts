import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireFinite } from '../../../src/ml/features/requireFinite.ts';
import { UserError } from '../../../src/protocol/errors.ts';

test('features that are not finite are refused by the name of their network and of an image', () => {
  const samples = [{ file: 'a.jpg' }, { file: 'b.jpg' }];
  requireFinite({ width: 2, features: Float32Array.of(1, -2, 0, 4) }, samples, 'net');
  for (const bad of [NaN, Infinity, -Infinity]) {
    const features = Float32Array.of(1, 2, bad, 4);
    assert.throws(
      () => requireFinite({ width: 2, features }, samples, 'net'),
      (error) => error instanceof UserError && /^net gives features .* b\.jpg;/u.test(error.message),
    );
  }
});
