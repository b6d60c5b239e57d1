import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createTrainingSession } from '../../src/extension/panels/trainingSession.ts';
import { createRunEvents } from '../../src/extension/trainer/runEvents.ts';
import { mostHeldEvents } from '../../src/protocol/thinnedHistory.ts';
import { type ShownRun, trainingPanelToPageSchema } from '../../src/protocol/trainingPanel.ts';
import { runCollection } from '../../src/webview/training/runCollection.ts';
import { until } from '../e2e/until.ts';
import { temporaryFolder } from '../unit/extension/storedRun.ts';

/** Ten million by hand: the file has some 200 bytes a step. */
const steps = Number(process.env['FIVECROP_STEPS'] ?? 100_000);
const stepsPerWrite = 1000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapMegabytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 1e6;
}

function stepLine(step: number): string {
  const loss = step % 99_991 === 50_000 ? 9 : 1 + 1 / (1 + step / 1000) + (step % 10) / 100;
  const figures = { imagesPerSecond: 10, memoryBytes: 1e8, device: 'cpu', epoch: step / 1000, learningRate: 0.001 };
  return JSON.stringify({ event: 'step', time: new Date(step * 10).toISOString(), step, loss, ...figures });
}

test(`${steps} steps that come while the panel is open are held in bounded memory, and the page draws each spike`, async (context) => {
  const folder = await temporaryFolder(context);
  const events = createRunEvents(folder);
  const page = runCollection();
  let [messages, mostSent] = [0, 0];
  const run = { folder, record: { name: 'long' }, brokenOff: false } as unknown as ShownRun;
  const details = () => ({ usable: true });
  const source = { runs: () => [run], details, follow: () => Object.assign(events, { dispose: () => undefined }) };
  const session = createTrainingSession(source, (message) => {
    if (message.type !== 'events') {
      page.show([run], []);
      return;
    }
    messages++;
    mostSent = Math.max(mostSent, message.events.length);
    // What a page gets is a copy, checked.
    const copy = trainingPanelToPageSchema.parse(JSON.parse(JSON.stringify(message)));
    assert.ok(copy.type === 'events' && page.add(folder, copy.from, copy.events), 'a gap');
  });
  session.show([folder]);
  const before = heapMegabytes();
  let [held, heap] = [0, before];
  const begun = performance.now();
  const file = await open(join(folder, 'metrics.jsonl'), 'a');
  for (let from = 1; from <= steps; from += stepsPerWrite) {
    const lines = Array.from({ length: Math.min(stepsPerWrite, steps + 1 - from) }, (_, at) => stepLine(from + at));
    await file.appendFile(`${lines.join('\n')}\n`);
    await events.readOn();
    await nextTurn();
    held = Math.max(held, events.events.length);
    if (from % 100_000 === 1) heap = Math.max(heap, heapMegabytes());
  }
  await file.close();
  await until('the page has the last step', () => page.shown[0]?.curves.steps.values('step').at(-1) === steps);
  heap = Math.max(heap, heapMegabytes());
  session.dispose();
  const seconds = (performance.now() - begun) / 1000;
  const curve = page.shown[0]?.curves.steps;
  context.diagnostic(
    `${steps} steps in ${seconds.toFixed(0)} s: ${held} events held at most, ${messages} messages of ${mostSent} events at most, ` +
      `${curve?.length ?? 0} points in the page, heap of host and page together ${before.toFixed(0)} to ${heap.toFixed(0)} MB`,
  );
  assert.ok(held <= mostHeldEvents, `${held} events held`);
  assert.ok(heap - before < 60, `the heap grew by ${(heap - before).toFixed(0)} MB`);
  assert.ok(curve !== undefined && curve.length <= mostHeldEvents);
  assert.equal(curve.values('step').at(-1), steps);
  const spikes = Math.floor((steps + 49_991) / 99_991);
  assert.equal(curve.values('loss').filter((loss) => loss === 9).length, spikes);
});
