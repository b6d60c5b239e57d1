import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Engine } from '../../../src/ml/engine/engine.ts';
import { openLibrary } from '../../../src/ml/engine/onnxruntime/capi/library.ts';
import { onnxEngineAside } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { serveRun } from '../../../src/ml/trainer/serveRun.ts';
import { createTrainingControl } from '../../../src/ml/training/run/control.ts';
import { trainRun } from '../../../src/ml/training/run/trainRun.ts';
import { trainerMessageSchema } from '../../../src/protocol/trainerProtocol.ts';
import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';

/** The same engine, that tells of each step when it has begun, also of those that are given up. */
function telling(engine: Engine, onStep: (step: number) => void): Engine {
  return {
    ...engine,
    compileTraining: async (...args) => {
      const model = await engine.compileTraining(...args);
      let steps = 0;
      return {
        ...model,
        step: (...batch) => {
          const step = model.step(...batch);
          onStep(++steps);
          return step;
        },
      };
    },
  };
}

/** What is of interest in an event. */
function nameOf(event: TrainingEvent): string[] {
  if (event.event === 'step') return [`step ${event.step}`];
  if (event.event === 'state') return [event.state];
  return event.event === 'log' && event.message.startsWith('Pausing') ? ['pausing'] : [];
}

test('a pause and a stop are answered while a long step is computed, which is given up, and taken after the pause', async (context) => {
  const folder = await temporaryFolder(context);
  const control = createTrainingControl();
  const server = await serveRun(control);
  const socket = createConnection(server.address);
  const ask = (type: string) => socket.write(`{"type":"${type}"}\n`);
  const heard: string[] = [];
  const listening = (async () => {
    for await (const line of createInterface({ input: socket })) {
      const message = trainerMessageSchema.parse(JSON.parse(line));
      if (message.type !== 'event') continue;
      heard.push(...nameOf(message.event));
      if (message.event.event === 'state' && message.event.state === 'paused') ask('resume');
    }
  })();
  const engine = telling(onnxEngineAside({ ...openLibrary(), longMilliseconds: 0 }), (step) => {
    if (step === 2) ask('pause');
    if (step === 4) ask('stop');
  });
  const network = { kind: 'architecture', name: 'resnet18' } as const;
  const slow = { network, hidden: [], batchSize: 16, imageSize: 224, resize: 232, epochs: 1, validateEvery: 1000 };
  await trainRun(tinyConfig(await drawTinyDataset(folder, 20, 1), slow), {
    out: join(folder, 'runs'),
    chooseEngine: () => Promise.resolve({ engine, device: 'cpu', fallbacks: [] }),
    control,
    onFolder: (path, events) => server.begin(path, events),
    onEvent: server.event,
  });
  await server.close();
  await listening;
  const answers = ['pausing', 'paused', 'running', 'step 2', 'stopping', 'stopped'];
  assert.deepEqual(heard.slice(heard.indexOf('step 1')), ['step 1', ...answers]);
});
