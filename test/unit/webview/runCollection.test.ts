import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import type { ShownRun } from '../../../src/protocol/trainingPanel.ts';
import { runCollection } from '../../../src/webview/training/runCollection.ts';

const time = '2026-01-01T00:00:00.000Z';

const start: TrainingEvent = {
  event: 'start',
  time,
  run: 'r',
  engine: 'onnx',
  device: 'cpu',
  network: 'n',
  classes: 2,
  trainImages: 9,
  validImages: 3,
  stepsPerEpoch: 4,
  totalSteps: 20,
  step: 0,
};

function step(number: number, loss: number): TrainingEvent {
  const figures = { learningRate: 0.1, imagesPerSecond: 10, secondsLeft: 1, memoryBytes: 1, device: 'cpu' };
  return { event: 'step', time, step: number, epoch: number / 4, loss, ...figures };
}

function shownRun(folder: string): ShownRun {
  return { folder, record: {} as never, brokenOff: false, usable: true };
}

test('events that come twice are taken once, and a gap is refused', () => {
  const runs = runCollection();
  assert.equal(runs.add('/r', 0, [start, step(1, 5)]), true);
  assert.equal(runs.add('/r', 1, [step(1, 5), step(2, 4)]), true);
  assert.equal(runs.add('/r', 9, [step(9, 1)]), false);
  runs.show([shownRun('/r')], []);
  assert.deepEqual([...(runs.shown[0]?.curves.steps.values('step') ?? [])], [1, 2]);
  assert.equal(runs.add('/r', 0, [start]), true);
  assert.equal(runs.shown[0]?.curves.steps.length, 0);
});

test('no run to show is told from runs that have not been said yet', () => {
  const runs = runCollection();
  assert.equal(runs.listed, false);
  runs.show([], []);
  assert.equal(runs.listed, true);
  assert.deepEqual(runs.shown, []);
});

test('a run keeps its style when another leaves the comparison', () => {
  const runs = runCollection();
  runs.show(['/a', '/b', '/c'].map(shownRun), []);
  const style = runs.shown[2]?.style;
  runs.show([shownRun('/c')], []);
  assert.deepEqual(runs.shown[0]?.style, style);
  runs.show(['/c', '/d'].map(shownRun), []);
  assert.notEqual(runs.shown[1]?.style.color, style?.color);
});
