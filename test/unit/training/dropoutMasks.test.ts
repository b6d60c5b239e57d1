import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHead } from '../../../src/ml/networks/layers/head.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { dropoutMasks, maskInputs } from '../../../src/ml/training/loop/dropoutMasks.ts';

function headGraph(rows: number) {
  const builder = createGraphBuilder();
  const features = input(builder, 'features', [rows, 4]);
  const options = { hidden: [1000, 10], dropout: 0.25, classes: 2 };
  return finishGraph(builder, [buildHead(builder, 'fc', features, options)]);
}

test('a mask is drawn for every dropout, holds 0 and 1 / (1 - rate), and drops the share that the rate says', () => {
  const graph = headGraph(32);
  assert.equal(maskInputs(graph).length, 2);
  const masks = dropoutMasks(graph, 7, 3);
  const mask = masks.get('fc.hidden_layers.0.dropout.mask');
  assert.ok(mask?.dtype === 'float32');
  assert.deepEqual(mask.shape, [32, 1000]);
  assert.deepEqual(new Set(mask.data), new Set([0, Math.fround(1 / 0.75)]));
  const dropped = mask.data.filter((value) => value === 0).length / mask.data.length;
  // Five standard deviations of a share of 32,000 draws.
  assert.ok(Math.abs(dropped - 0.25) < 0.0121, `${dropped} dropped`);
});

test('masks depend on seed, step and layer alone', () => {
  const graph = headGraph(2);
  const dataOf = (seed: number, step: number) =>
    [...dropoutMasks(graph, seed, step).values()].map((mask) => [...mask.data].map(Number));
  assert.deepEqual(dataOf(7, 3), dataOf(7, 3));
  assert.notDeepEqual(dataOf(7, 3), dataOf(7, 4));
  assert.notDeepEqual(dataOf(7, 3), dataOf(8, 3));
  const [first, second] = dataOf(7, 3);
  assert.notDeepEqual(first?.slice(0, 20), second);
});
