import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import { readCurve } from '../../../src/runs/events.ts';
import { temporaryFolder } from '../extension/storedRun.ts';

const time = '2026-01-02T03:04:05.000Z';
const figures = { imagesPerSecond: 1, secondsLeft: 1, memoryBytes: 1, device: 'cpu' };
const step = (number: number, loss: number): TrainingEvent => ({
  ...{ event: 'step', time, step: number, epoch: number / 10, loss, learningRate: 0.1 },
  ...figures,
});
const start = (number: number): TrainingEvent => ({
  ...{ event: 'start', time, run: 'run', engine: 'onnx', device: 'cpu', network: 'ConvNet1', classes: 2 },
  ...{ trainImages: 10, validImages: 10, stepsPerEpoch: 10, totalSteps: 20, step: number },
});

async function curveOf(folder: string, last: number): Promise<(readonly [number, number])[]> {
  const steps: (readonly [number, number])[] = [];
  for await (const events of readCurve(folder, last)) {
    for (const event of events) if (event.event === 'step') steps.push([event.step, event.loss]);
  }
  return steps;
}

test('steps that resumes took again are in a curve once, as they were taken last, and none after its end', async (context) => {
  const folder = await temporaryFolder(context);
  const events = [
    ...[start(0), step(1, 5), step(2, 4), step(3, 9), step(4, 9)],
    ...[start(3), step(4, 8)],
    ...[start(2), step(3, 3), step(4, 2), step(5, 1)],
  ];
  const lines = events.map((event) => JSON.stringify(event));
  const cutOff = JSON.stringify(step(4, 7)).slice(0, 40);
  await writeFile(join(folder, 'metrics.jsonl'), `no event\n${lines.join('\n')}\n{"event":"start"}\n${cutOff}`);
  assert.deepEqual(await curveOf(folder, 4), [[1, 5], [2, 4], [3, 3], [4, 2]]); // prettier-ignore
  assert.deepEqual(await curveOf(folder, 1), [[1, 5]]);
});

test('a run without events has an empty curve', async (context) => {
  assert.deepEqual(await curveOf(await temporaryFolder(context), 9), []);
});
