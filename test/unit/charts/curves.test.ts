import assert from 'node:assert/strict';
import { test } from 'node:test';
import { relativeTo } from '../../../src/protocol/runLog.ts';
import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import { countUpTo, growingColumns, nearest } from '../../../src/charts/columns.ts';
import { downsample } from '../../../src/charts/downsample.ts';
import { addEvent, bestValidation, emptyCurves, epochEnds, trainedSeconds } from '../../../src/charts/runCurves.ts';
import { smooth } from '../../../src/charts/smoothing.ts';

const figures = { imagesPerSecond: 10, secondsLeft: 1, memoryBytes: 1, device: 'cpu' };
const time = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

function start(step: number, seconds: number): TrainingEvent {
  return {
    event: 'start',
    time: time(seconds),
    run: 'r',
    engine: 'onnx',
    device: 'cpu',
    network: 'n',
    classes: 2,
    trainImages: 9,
    validImages: 3,
    stepsPerEpoch: 4,
    totalSteps: 20,
    step,
  };
}

function step(number: number, loss: number, seconds = number): TrainingEvent {
  return { event: 'step', time: time(seconds), step: number, epoch: number / 4, loss, learningRate: 0.1, ...figures };
}

function validation(number: number, validLoss: number, validAccuracy = 1 - validLoss): TrainingEvent {
  return {
    event: 'validation',
    time: time(number),
    step: number,
    epoch: number / 4,
    trainLoss: 1,
    validLoss,
    validAccuracy,
    validTop5: 1,
    ...figures,
  };
}

test('smoothing gives the debiased moving average of a case worked out by hand', () => {
  // Weight 0.5 of 1, 2, 4: averages 0.5, 1.25, 2.625 over 0.5, 0.75, 0.875.
  const { values, length } = smooth(Float64Array.of(1, 2, 4), 0.5);
  assert.deepEqual([...values.subarray(0, length)], [1, 1.25 / 0.75, 2.625 / 0.875]);
});

test('a constant stays itself however strong the smoothing', () => {
  const { values } = smooth(new Float64Array(50).fill(3), 0.99);
  for (const value of values.subarray(0, 50)) assert.ok(Math.abs(value - 3) < 1e-9);
});

test('smoothing what was appended gives the same numbers as smoothing all at once', () => {
  const all = Float64Array.from({ length: 2000 }, (_, index) => Math.sin(index));
  let grown = smooth(all.subarray(0, 700), 0.9);
  grown = smooth(all, 0.9, grown);
  const whole = smooth(all, 0.9);
  assert.deepEqual(grown.values.subarray(0, 2000), whole.values.subarray(0, 2000));
});

test('a value that is not finite neither counts nor spoils what follows', () => {
  const { values } = smooth(Float64Array.of(1, NaN, 2, 4), 0.5);
  assert.deepEqual([...values.subarray(0, 4)], [1, NaN, 1.25 / 0.75, 2.625 / 0.875]);
});

test('thinning keeps every spike, the order, and few points', () => {
  const length = 1_000_000;
  const x = Float64Array.from({ length }, (_, index) => index);
  const y = new Float64Array(length).fill(1);
  y[123_456] = 50;
  y[654_321] = -7;
  const drawn = downsample({ x, y }, { min: 0, max: length }, 1000);
  assert.ok(drawn.x.length <= 2004, `${drawn.x.length} points`);
  assert.ok(drawn.y.includes(50) && drawn.y.includes(-7));
  assert.equal(drawn.x[drawn.y.indexOf(50)], 123_456);
  assert.deepEqual(drawn.x, drawn.x.toSorted());
});

test('few points are drawn as they are, with one beyond either edge of a zoom', () => {
  const x = Float64Array.from({ length: 10 }, (_, index) => index);
  const drawn = downsample({ x, y: x }, { min: 3, max: 5 }, 100);
  assert.deepEqual([...drawn.x], [2, 3, 4, 5, 6]);
});

test('columns grow past their first size, and truncation counts as a new generation', () => {
  const columns = growingColumns(['a', 'b']);
  for (let index = 0; index < 1000; index++) columns.append({ a: index, b: -index });
  assert.equal(columns.values('b')[999], -999);
  columns.truncate(10);
  assert.equal(columns.length, 10);
  assert.equal(columns.generation, 1);
  assert.throws(() => columns.values('c' as 'a'), /no column/);
});

test('the nearest value and the count up to one are found at both ends and between', () => {
  const rising = Float64Array.of(1, 3, 3, 7);
  assert.deepEqual(
    [0, 1, 3, 6, 9].map((limit) => countUpTo(rising, limit)),
    [0, 1, 3, 3, 4],
  );
  assert.deepEqual(
    [0, 2.1, 4.9, 5.1, 99].map((target) => rising[nearest(rising, target) ?? -1]),
    [1, 3, 3, 7, 7],
  );
  assert.equal(nearest(new Float64Array(0), 1), undefined);
});

test('a resumed run takes back what came after its checkpoint, and its pause is not trained time', () => {
  const curves = emptyCurves();
  const events = [
    start(0, 0),
    step(1, 5),
    step(2, 4),
    validation(2, 0.4),
    step(3, 3),
    step(4, 2),
    start(2, 100),
    step(3, 2.5, 103),
  ];
  for (const event of events) addEvent(curves, event);
  assert.deepEqual([...curves.steps.values('step')], [1, 2, 3]);
  assert.deepEqual([...curves.steps.values('loss')], [5, 4, 2.5]);
  assert.equal(curves.validations.length, 1);
  assert.equal(curves.lastStep?.loss, 2.5);
  assert.equal(trainedSeconds(curves), 4 + 3);
});

test('what a resume goes on with otherwise stays in sight, and goes with the session that said it', () => {
  const curves = emptyCurves();
  const warn = (message: string): TrainingEvent => ({ event: 'log', time: time(9), level: 'warning', message });
  const preparing: TrainingEvent = { event: 'state', time: time(9), state: 'preparing' };
  const take = (...events: TrainingEvent[]) => {
    for (const event of events) addEvent(curves, event);
    return curves.sessionWarnings;
  };
  assert.deepEqual(take(preparing, start(0, 0), warn('slow disk'), step(1, 5)), []);
  assert.deepEqual(take(warn('2 images are gone'), preparing, start(1, 9), step(2, 4)), ['2 images are gone']);
  assert.deepEqual(take(preparing, start(2, 20)), []);
});

test('points know how long the run had trained, the pause before a resume left out', () => {
  const curves = emptyCurves();
  for (const event of [start(0, 0), step(1, 5, 2), step(2, 4, 4), start(1, 100), step(2, 3, 103)])
    addEvent(curves, event);
  assert.deepEqual([...curves.steps.values('seconds')], [2, 4 + 3]);
});

test('what a resume says before it goes on does not make its pause trained time', () => {
  const curves = emptyCurves();
  const log = { event: 'log', level: 'warning', message: 'other data' } as const;
  const events: TrainingEvent[] = [
    start(0, 0),
    step(1, 5, 1),
    step(2, 4, 2),
    { ...log, time: time(1000) },
    { event: 'state', state: 'preparing', time: time(1001) },
    start(2, 1002),
    step(3, 3, 1003),
  ];
  for (const event of events) addEvent(curves, event);
  assert.equal(trainedSeconds(curves), 3);
  assert.deepEqual([...curves.steps.values('seconds')], [1, 2, 3]);
});

test('the log has the losses of every validation, and paths relative to the run', () => {
  const curves = emptyCurves();
  const checkpoint: TrainingEvent = {
    event: 'checkpoint',
    time: time(3),
    step: 2,
    epoch: 0.5,
    kind: 'last',
    path: '/runs/r/checkpoints/last.safetensors',
  };
  for (const event of [start(0, 0), validation(2, 0.25), checkpoint]) addEvent(curves, event);
  const lines = curves.log.map(({ message }) => relativeTo('/runs/r', message));
  assert.deepEqual(lines.slice(1), [
    'Step 2: training loss 1.0000, validation loss 0.2500, accuracy 0.7500',
    'Saved checkpoints/last.safetensors at step 2.',
  ]);
});

test('best is the validation with the highest accuracy, of equals the one with the lowest loss, as the trainer saves it', () => {
  const curves = emptyCurves();
  const found = [
    [0.7, 0.1],
    [0.8, 0.5],
    [0.8, 0.2],
    [0.8, 0.3],
  ] as const;
  assert.equal(bestValidation(curves), undefined);
  found.forEach(([validAccuracy, loss], index) => {
    addEvent(curves, validation(index + 1, loss, validAccuracy));
  });
  assert.equal(bestValidation(curves), 2);
});

test('epochs end every stepsPerEpoch steps', () => {
  const curves = emptyCurves();
  for (const event of [start(0, 0), step(9, 1)]) addEvent(curves, event);
  assert.deepEqual(epochEnds(curves, { min: 0, max: 20 }), [4, 8]);
  assert.deepEqual(epochEnds(curves, { min: 5, max: 20 }), [8]);
});

test('millions of epochs have no marks until a zoom shows them apart', () => {
  const curves = emptyCurves();
  const begin = start(0, 0);
  assert.ok(begin.event === 'start');
  for (const event of [{ ...begin, stepsPerEpoch: 1 }, step(1e12, 1)]) addEvent(curves, event);
  assert.deepEqual(epochEnds(curves, { min: 0, max: 1e12 }), []);
  assert.deepEqual(epochEnds(curves, { min: 1e11, max: 1e11 + 2 }), [1e11, 1e11 + 1, 1e11 + 2]);
});
