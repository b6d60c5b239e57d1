import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSweepSpace } from '../../../src/protocol/sweep.ts';
import type { ShownTrial } from '../../../src/protocol/sweepPanel.ts';
import { axesOf, filtered, resultKey } from '../../../src/webview/sweep/axes.ts';
import { draggedPart, isWhole, movedPart, wholeAxis } from '../../../src/webview/sweep/brush.ts';
import { nearest } from '../../../src/webview/sweep/nearestLine.ts';
import { valueText } from '../../../src/webview/sweep/valueText.ts';

const { dimensions } = parseSweepSpace({
  ...{
    hidden: [[], [512], [1024]],
    batchSize: [64, 16, 32],
    learningRate: { log: [0.0001, 0.01] },
    dropout: { range: [0, 0.6] },
  },
  trials: 3,
});
const trialOf = (trial: number, settings: Record<string, unknown>, accuracy?: number): ShownTrial => ({
  ...{ trial, settings, state: accuracy === undefined ? 'waiting' : 'finished' },
  ...(accuracy === undefined ? {} : { accuracy, loss: 1 }),
});
const trials = [
  trialOf(1, { hidden: [512], batchSize: 16, learningRate: 0.001, dropout: 0.3 }, 0.9),
  trialOf(2, { hidden: [], batchSize: 64, learningRate: 0.01, dropout: 0 }, 0.7),
  trialOf(3, { hidden: [1024], batchSize: 32, learningRate: 0.0001, dropout: 0.6 }),
];
const axes = axesOf(dimensions, trials);
const placesOf = (number: number) => {
  const found = trials.find(({ trial }) => trial === number);
  assert.ok(found);
  return axes.map(({ place }) => place(found));
};

test('numbers lie on axes by size, logarithms where they are drawn so, other choices in their order', () => {
  assert.deepEqual(
    axes.map(({ key }) => key),
    ['hidden', 'batchSize', 'learningRate', 'dropout', resultKey],
  );
  assert.deepEqual(
    placesOf(1).map((at) => at?.toFixed(6)),
    ['0.500000', '0.000000', '0.500000', '0.500000', '1.000000'],
  );
  assert.deepEqual(
    placesOf(2).map((at) => at?.toFixed(6)),
    ['0.000000', '1.000000', '1.000000', '0.000000', '0.000000'],
  );
  assert.equal(placesOf(3).at(-1), undefined, 'a trial without a result is not on its axis');
  assert.deepEqual(
    axes[1]?.ticks.map(({ label }) => label),
    ['16', '32', '64'],
  );
  assert.deepEqual(
    axes[0]?.ticks.map(({ label }) => label),
    ['none', '512', '1024'],
  );
});

test('one result, or none, still has an axis', () => {
  for (const some of [[], trials.slice(0, 1), trials.slice(2)]) {
    const result = axesOf(dimensions, some).at(-1);
    for (const { at } of result?.ticks ?? []) assert.ok(at >= -1e-9 && at <= 1 + 1e-9, String(at));
    const [first] = some;
    if (first?.accuracy !== undefined) assert.equal(result?.place(first)?.toFixed(3), '0.500');
  }
});

test('trials are left out where they lie outside of a part of an axis, or have no place on it', () => {
  const kept = (filters: Parameters<typeof filtered>[2]) => filtered(trials, axes, filters).map(({ trial }) => trial);
  assert.deepEqual(kept({}), [1, 2, 3]);
  assert.deepEqual(kept({ learningRate: { low: 0.4, high: 1 } }), [1, 2]);
  assert.deepEqual(kept({ learningRate: { low: 0, high: 0.5 }, hidden: { low: 0.5, high: 1 } }), [1, 3]);
  assert.deepEqual(kept({ [resultKey]: { low: 0, high: 1 } }), [1, 2]);
  assert.deepEqual(kept({ unknown: { low: 0, high: 0 } }), [1, 2, 3]);
});

test('a part says in words what it holds', () => {
  assert.equal(axes[0]?.words({ low: 0.4, high: 1 }), '512, 1024');
  assert.equal(axes[2]?.words({ low: 0, high: 0.5 }), '1e-4 to 0.001');
});

test('a drag and keys make parts that stay on the axis', () => {
  assert.deepEqual(draggedPart(0.8, -0.3), { low: 0, high: 0.8 });
  assert.deepEqual(movedPart(wholeAxis, 'ArrowDown', false, undefined), { low: 0, high: 0.95 });
  assert.deepEqual(movedPart(wholeAxis, 'ArrowUp', true, 0.5), { low: 0.5, high: 1 });
  assert.deepEqual(movedPart({ low: 0.5, high: 0.5 }, 'ArrowDown', false, 0.5), { low: 0.5, high: 0.5 });
  assert.deepEqual(movedPart({ low: 0, high: 1 }, 'ArrowUp', false, 0.5), { low: 0, high: 1 });
  assert.equal(movedPart(wholeAxis, 'Tab', false, undefined), undefined);
  let part = wholeAxis;
  for (let press = 0; press < 7; press++) part = movedPart(part, 'ArrowDown', false, 1 / 3) ?? part;
  for (let press = 0; press < 7; press++) part = movedPart(part, 'ArrowUp', false, 1 / 3) ?? part;
  assert.ok(isWhole(part));
});

test('the line nearest to the pointer is meant, if it is near', () => {
  const line = (trial: number, ...ys: number[]) => ({
    trial: trialOf(trial, {}, 0.5),
    points: ys.map((y, index) => [index * 100, y] as const),
  });
  const lines = [line(1, 0, 100, 0), line(2, 50, 50, 50)];
  assert.equal(nearest(lines, 20, 18)?.trial.trial, 1);
  assert.equal(nearest(lines, 165, 51)?.trial.trial, 2);
  assert.equal(nearest(lines, 50, 90), undefined);
  assert.equal(nearest(lines, 500, 50), undefined);
});

test('values are read as people write them', () => {
  assert.equal(valueText([]), 'none');
  assert.equal(valueText([64, 32]), '64, 32');
  assert.equal(valueText(0.00123456), '0.001235');
  assert.equal(valueText({ kind: 'architecture', name: 'resnet18' }), 'resnet18');
  assert.equal(valueText({ kind: 'backbone', file: 'dinov2-small' }), 'dinov2-small');
  assert.equal(valueText(true), 'yes');
  assert.equal(valueText(undefined), '');
});
