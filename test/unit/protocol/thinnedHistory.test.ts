import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostHeldEvents, mostThinnedEvents, thinnedHistory } from '../../../src/protocol/thinnedHistory.ts';
import type { TrainingEvent, TrainingEventOf } from '../../../src/protocol/trainingEvents.ts';
import { downsample } from '../../../src/charts/downsample.ts';
import { addEvent, bestValidation, emptyCurves, trainedSeconds } from '../../../src/charts/runCurves.ts';
import { smooth } from '../../../src/charts/smoothing.ts';

const figures = { imagesPerSecond: 1, memoryBytes: 1, device: 'cpu', epoch: 1, learningRate: 1 };
const timeOf = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();

const step = (number: number, loss: number) =>
  ({ event: 'step', time: timeOf(number), step: number, loss, ...figures }) as const;
const validation = (number: number, validLoss: number, validAccuracy: number) =>
  ({
    event: 'validation',
    time: timeOf(number),
    step: number,
    trainLoss: 1,
    validLoss,
    validAccuracy,
    validTop5: 1,
    ...figures,
  }) as const;

/** The events as they are held while they come one after the other. */
function held(events: Iterable<TrainingEvent>): { kept: TrainingEvent[]; most: number } {
  let kept: TrainingEvent[] = [];
  let most = 0;
  for (const event of events) {
    kept.push(event);
    most = Math.max(most, kept.length);
    if (kept.length <= mostHeldEvents) continue;
    kept = thinnedHistory(kept);
    assert.ok(kept.length <= mostThinnedEvents, `${kept.length} events after thinning`);
  }
  return { kept, most };
}

const isStep = (event: TrainingEvent): event is TrainingEventOf<'step'> => event.event === 'step';

/** A falling loss with noise, and a spike now and then. */
function lossesOf(count: number): Float64Array {
  let state = 12345;
  const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  const losses = Float64Array.from({ length: count }, (_, at) => 1 + 5 / (1 + at / 1000) + random());
  for (let spike = 0; spike < 20; spike++) losses[Math.floor(random() * count)] = 20 + spike;
  return losses;
}

test('of half a million steps few events are held, spread evenly, each spike and the newest among them', () => {
  const losses = lossesOf(500_000);
  const { kept, most } = held(Array.from(losses, (loss, at) => step(at + 1, loss)));
  assert.ok(most <= mostHeldEvents + 1);
  const steps = kept.filter(isStep);
  const known = new Set(steps.map(({ step }) => step));
  losses.forEach((loss, at) => assert.ok(loss < 20 || known.has(at + 1), `the spike at ${at + 1} is lost`));
  for (let at = 498_001; at <= 500_000; at++) assert.ok(known.has(at));
  for (let range = 0; range < 500; range++) {
    const inside = steps.filter(({ step }) => step > range * 1000 && step <= (range + 1) * 1000);
    assert.ok(inside.length >= 4, `${inside.length} of the steps from ${range * 1000} on`);
  }
  for (const { step, loss } of steps) assert.equal(loss, losses[step - 1]);
});

test('a thinned curve is drawn with the same outline', () => {
  const losses = lossesOf(300_000);
  const { kept } = held(Array.from(losses, (loss, at) => step(at + 1, loss)));
  const steps = kept.filter(isStep);
  const columns = 600;
  const outline = (x: Float64Array, y: Float64Array) => {
    const drawn = downsample({ x, y }, { min: 0, max: losses.length }, columns);
    const rows = Array.from({ length: columns + 1 }, () => [Infinity, -Infinity] as [number, number]);
    drawn.x.forEach((at, index) => {
      const row = rows[Math.floor((at / losses.length) * columns)];
      if (row === undefined) return;
      row[0] = Math.min(row[0], drawn.y[index] ?? NaN);
      row[1] = Math.max(row[1], drawn.y[index] ?? NaN);
    });
    return rows;
  };
  const whole = outline(
    Float64Array.from(losses, (_, at) => at + 1),
    losses,
  );
  const thin = outline(
    Float64Array.from(steps, ({ step }) => step),
    Float64Array.from(steps, ({ loss }) => loss),
  );
  // Within a pixel to either side.
  whole.slice(1, -2).forEach(([low, high], at) => {
    const near = thin.slice(at, at + 3);
    assert.ok(Math.min(...near.map(([lowest]) => lowest)) <= low);
    assert.ok(Math.max(...near.map(([, highest]) => highest)) >= high);
  });
});

test('the means of the steps that were left out stay, and with them the smoothed curve', () => {
  const losses = lossesOf(200_000);
  const { kept } = held(Array.from(losses, (loss, at) => step(at + 1, loss)));
  const steps = kept.filter(isStep);
  const counts = steps.map(({ mean }) => mean?.steps ?? 1);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    losses.length,
  );
  const total = steps.reduce((sum, { mean, loss }) => sum + (mean?.steps ?? 1) * (mean?.loss ?? loss), 0);
  const expected = losses.reduce((sum, loss) => sum + loss, 0);
  assert.ok(Math.abs(total / expected - 1) < 1e-9);
  const weight = 0.999;
  const whole = smooth(losses, weight);
  const means = Float64Array.from(steps, ({ mean, loss }) => mean?.loss ?? loss);
  const thin = smooth(means, weight, undefined, Float64Array.from(counts));
  let worst = 0;
  steps.forEach(({ step }, index) => {
    if (step > 5000) worst = Math.max(worst, Math.abs((thin.values[index] ?? 0) - (whole.values[step - 1] ?? 0)));
  });
  assert.ok(worst < 0.05, `the smoothed curve is off by ${worst}`);
});

test('a history that is not long is not touched by thinning', () => {
  const events = Array.from({ length: 1500 }, (_, at) => step(at + 1, at));
  assert.deepEqual(thinnedHistory(events), events);
});

test('of many validations the best one stays, of many log lines the last, and of pinned images a hundred', () => {
  function* events(): Generator<TrainingEvent> {
    for (let at = 1; at <= 60_000; at++) {
      const accuracy = at === 23_456 ? 0.99 : 0.5 + (at % 400) / 1000;
      yield validation(at, 1 + (at % 77) / 100, accuracy);
      yield { event: 'log', time: timeOf(at), level: 'info', message: String(at) };
      yield { event: 'pinned', time: timeOf(at), step: at, predictions: [] };
    }
  }
  const { kept } = held(events());
  const curves = emptyCurves();
  for (const event of kept) addEvent(curves, event);
  assert.equal(curves.validations.values('step')[bestValidation(curves) ?? -1], 23_456);
  assert.equal(curves.log.at(-1)?.message, '60000');
  const pinned = thinnedHistory(kept).filter(({ event }) => event === 'pinned');
  assert.ok(pinned.length <= 101, `${pinned.length} pinned`);
  assert.ok(pinned.at(-1)?.time === timeOf(60_000));
});

test('resumes take back the same of a thinned history, and the time that was trained stays', () => {
  const start = (at: number, from: number): TrainingEvent => ({
    ...{ event: 'start', time: timeOf(at), run: 'r', engine: 'onnx', device: 'cpu', network: 'n', classes: 2 },
    ...{ trainImages: 9, validImages: 3, stepsPerEpoch: 4, totalSteps: 20, step: from },
  });
  const session = (began: number, from: number, to: number): TrainingEvent[] => [
    start(began, from),
    ...Array.from({ length: to - from }, (_, at) => ({
      ...step(from + at + 1, 1 + ((from + at) % 7)),
      time: timeOf(began + at + 1),
    })),
  ];
  const events = [...session(0, 0, 30_000), ...session(100_000, 20_000, 60_000), ...session(500_000, 60_000, 61_000)];
  const drawn = (list: readonly TrainingEvent[]) => {
    const curves = emptyCurves();
    for (const event of list) addEvent(curves, event);
    return curves;
  };
  const [whole, thin] = [drawn(events), drawn(held(events).kept)];
  assert.equal(trainedSeconds(thin), trainedSeconds(whole));
  assert.equal(thin.lastStep?.step, 61_000);
  const steps = thin.steps.values('step');
  assert.deepEqual(steps, steps.toSorted());
});

test('steps of a file that no run wrote are held within the same bounds', () => {
  const odd = (count: number, stepOf: (at: number) => number) =>
    Array.from({ length: count }, (_, at) => ({ ...step(0, at), step: stepOf(at) }));
  for (const stepOf of [
    () => 0,
    (at: number) => -at,
    (at: number) => (at % 2) * 1e15,
    (at: number) => (at * 7919) % 100_003,
    (at: number) => (at === 0 ? -1e300 : 1e300),
  ]) {
    assert.ok(held(odd(45_000, stepOf)).kept.length <= mostHeldEvents);
  }
  const starts = Array.from({ length: 50_000 }, (_, at): TrainingEvent => ({
    ...{ event: 'start', time: '', run: 'r', engine: 'onnx', device: 'cpu', network: 'n', classes: 2 },
    ...{ trainImages: 9, validImages: 3, stepsPerEpoch: 4, totalSteps: 20, step: at },
  }));
  assert.ok(held(starts).kept.length <= mostHeldEvents);
});
