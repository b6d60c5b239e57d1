import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanAt, valueAt } from '../../../src/webview/prediction/heatmap.ts';

const map = [
  [0, 1],
  [0.5, 0.25],
];

test('a map has its numbers in the middles of its cells, and goes evenly between them', () => {
  assert.equal(valueAt(map, 0.25, 0.25), 0);
  assert.equal(valueAt(map, 0.75, 0.25), 1);
  assert.equal(valueAt(map, 0.25, 0.75), 0.5);
  assert.equal(valueAt(map, 0.5, 0.25), 0.5);
  assert.equal(valueAt(map, 0.5, 0.5), (0 + 1 + 0.5 + 0.25) / 4);
  assert.equal(valueAt(map, 0, 0), 0);
  assert.equal(valueAt(map, 1, 1), 0.25);
});

test('where crops overlap the picture has the mean of their maps, and where none lies nothing', () => {
  const placed = [
    { map: [[1]], frame: { left: 0, top: 0, width: 10, height: 10 } },
    { map: [[0.5]], frame: { left: 5, top: 0, width: 10, height: 10 } },
  ];
  assert.equal(meanAt(placed, 2, 5), 1);
  assert.equal(meanAt(placed, 7, 5), 0.75);
  assert.equal(meanAt(placed, 12, 5), 0.5);
  assert.equal(meanAt(placed, 12, 12), 0);
});
