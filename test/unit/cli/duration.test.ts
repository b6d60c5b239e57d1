import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration } from '../../../src/ml/cli/duration.ts';

test('durations are written in the two units that matter', () => {
  assert.equal(formatDuration(0.2), '0 s');
  assert.equal(formatDuration(59.6), '1 min 00 s');
  assert.equal(formatDuration(200), '3 min 20 s');
  assert.equal(formatDuration(7500), '2 h 05 min');
});
