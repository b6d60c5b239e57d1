import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createRunEvents } from '../../src/extension/trainer/runEvents.ts';
import { runFiles } from '../../src/protocol/runRecord.ts';
import type { TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { downsample } from '../../src/charts/downsample.ts';
import { addEvent, emptyCurves } from '../../src/charts/runCurves.ts';
import { smooth } from '../../src/charts/smoothing.ts';
import { peakMebibytes, report } from './report.ts';

/* A run of so many steps, from its file to what a frame of the panel draws: `longCurve.ts STEPS`. */
const [steps = 1_000_000] = process.argv.slice(2).map(Number);
const pixels = 1200;

function* lines(): Generator<string> {
  const rest = { learningRate: 0.001, imagesPerSecond: 98.5, secondsLeft: 1000, memoryBytes: 1.5e9, device: 'cpu' };
  for (let step = 1; step <= steps; step++) {
    const loss = 5 / Math.sqrt(step) + ((step * 7919) % 1000) / 1000;
    const event: TrainingEvent = {
      ...{ event: 'step', time: '2026-01-01T00:00:00.000Z', step, epoch: step / 1000, loss },
      ...rest,
    };
    yield `${JSON.stringify(event)}\n`;
  }
}

const folder = await mkdtemp(join(tmpdir(), 'fivecrop-bench-'));
try {
  await pipeline(Readable.from(lines()), createWriteStream(join(folder, runFiles.metrics)));
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const begun = performance.now();
  const events = createRunEvents(folder);
  await events.readOn();
  const read = (performance.now() - begun) / 1000;
  delay.disable();
  if (events.events.length !== steps) throw new Error(`${events.events.length} events were read`);
  const memory = peakMebibytes();
  const curves = emptyCurves();
  for (const event of events.events) addEvent(curves, event);
  const points = { x: curves.steps.values('step'), y: smooth(curves.steps.values('loss'), 0.9).values };
  const drawing = performance.now();
  const drawn = downsample(points, { min: 0, max: steps }, pixels);
  const frame = performance.now() - drawing;
  if (drawn.x.length > 2 * pixels + 4) throw new Error(`${drawn.x.length} points are drawn`);
  report({ read, block: delay.max / 1e6, frame, memory });
} finally {
  await rm(folder, { recursive: true });
}
