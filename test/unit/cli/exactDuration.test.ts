import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exactDuration } from '../../../src/ml/cli/exactDuration.ts';

test('durations are written in the two units that matter', () => {
  assert.equal(exactDuration(0.2), '0 s');
  assert.equal(exactDuration(59.6), '1 min 00 s');
  assert.equal(exactDuration(200), '3 min 20 s');
  assert.equal(exactDuration(7500), '2 h 05 min');
});
