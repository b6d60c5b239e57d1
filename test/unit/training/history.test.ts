import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapAhead } from '../../../src/ml/training/loop/mapAhead.ts';
import { createThroughput } from '../../../src/ml/training/loop/throughput.ts';
import { choosePinned } from '../../../src/ml/training/loop/validator.ts';

test('speed and time left come from the latest steps, without the time of validations', () => {
  let clock = 0;
  const throughput = createThroughput(() => clock);
  for (let index = 0; index < 30; index++) {
    clock += index < 5 ? 100 : 2;
    throughput.stepDone(32);
  }
  clock += 1000;
  throughput.validationDone(70, true);
  throughput.validationDone(7, false);
  throughput.begin();
  clock += 2;
  throughput.stepDone(32);
  assert.equal(throughput.imagesPerSecond(), 16);
  assert.equal(throughput.secondsLeft(10, 2), 34);
});

test('the first steps of a batch size, which allocate and tune, say nothing of the time left', () => {
  let clock = 0;
  const throughput = createThroughput(() => clock);
  const step = (seconds: number, images = 32) => {
    clock += seconds;
    throughput.stepDone(images);
  };
  step(60);
  step(30);
  assert.equal(throughput.secondsLeft(10, 1), undefined);
  step(2);
  assert.equal(throughput.secondsLeft(10, 1), 20);
  // The last batch of an epoch is smaller, and compiles a step of its own.
  step(50, 8);
  assert.equal(throughput.secondsLeft(10, 1), 20);
  assert.equal(throughput.imagesPerSecond(), 16);
});

test('pinned images are of as many classes as there are, and the same for the same seed', () => {
  const samples = Array.from({ length: 30 }, (_, index) => ({ file: `${index}.jpg`, classIndex: index < 27 ? 0 : index - 26 })); // prettier-ignore
  const chosen = choosePinned(samples, 5, 3);
  assert.deepEqual(chosen.map(({ classIndex }) => classIndex).sort(), [0, 0, 1, 2, 3]);
  assert.deepEqual(chosen, choosePinned(samples, 5, 3));
  assert.notDeepEqual(chosen, choosePinned(samples, 5, 4));
  assert.equal(choosePinned(samples, 0, 3).length, 0);
});

test('what is computed ahead comes in order, one ahead, and a failure is thrown where it belongs', async () => {
  async function* items() {
    yield* [1, 2, 3, 4];
    await Promise.resolve();
  }
  const begun: number[] = [];
  const seen: [number, number][] = [];
  const run = async () => {
    const compute = (item: number) => {
      begun.push(item);
      return item === 4 ? Promise.reject(new Error('four')) : Promise.resolve(item * 10);
    };
    for await (const result of mapAhead(items(), compute)) seen.push([result, begun.length]);
  };
  await assert.rejects(run(), /four/u);
  assert.deepEqual(seen, [[10, 2], [20, 3], [30, 4]]); // prettier-ignore
});
