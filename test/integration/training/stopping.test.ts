import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import { mapAhead } from '../../../src/ml/training/loop/mapAhead.ts';
import { createTrainingControl, hearRequests, type TrainingControl } from '../../../src/ml/training/run/control.ts';
import { trainingLoop, type TimelessEvent } from '../../../src/ml/training/loop/trainingLoop.ts';
import { serveRun } from '../../../src/ml/trainer/serveRun.ts';
import { cancelled } from '../../../src/protocol/errors.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';

const stepsPerEpoch = 50;
const labels = Int32Array.of(0);

/** Holds the event loop, as a session does while it computes. */
function compute(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Takes a step, the so many-th that is begun. */
type Take = (begun: number, signal: AbortSignal | undefined, control: TrainingControl) => Promise<void>;

/** A step that is one run of a session, which holds the event loop. */
const atOnce: Take = () => {
  compute(20);
  return Promise.resolve();
};

/** A step in parts. The third and the fifth that are begun go on until they are given up, the fifth by a stop. */
const inParts: Take = (begun, signal, control) => {
  if (begun !== 3 && begun !== 5) return Promise.resolve();
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(cancelled()));
    if (begun === 5) control.stop();
  });
};

/**
 * A run of a network that is made up, which a client asks for something in the middle of its third step. A pause ends with
 * `after`.
 */
async function askInThirdStep(request: 'stop' | 'pause', take: Take = atOnce, after: 'resume' | 'stop' = 'stop') {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-stopping-'));
  const control = createTrainingControl();
  const server = await serveRun(control);
  const events: TimelessEvent[] = [];
  let begun = 0;
  let frozenRuns = 0;
  async function* numbers() {
    for (let index = 0; index < stepsPerEpoch; index++) yield await Promise.resolve(index);
  }
  const prepare = async (index: number) => {
    await hearRequests();
    control.signal.throwIfAborted();
    frozenRuns++;
    compute(5);
    return { index, feeds: new Map(), labels };
  };
  const result = trainingLoop({
    config: trainingConfigSchema.parse({ data: '/d', network: { kind: 'architecture', name: 'ConvNet1' }, epochs: 1 }),
    run: 'run',
    checkpoints: folder,
    facts: {
      network: { kind: 'architecture', name: 'ConvNet1' },
      head: { hidden: [], dropout: 0, classes: 1 },
      classes: [],
      preprocessing: { resize: 1, crop: 1, ...presetConstants('imagenet') },
      training: { run: 'run', method: 'scratch', data: '/d' },
    },
    device: 'cpu',
    stepsPerEpoch,
    batches: () => mapAhead(numbers(), prepare),
    stepper: {
      microBatchSize: 1,
      step: 0,
      take: async (...[, , , { signal } = {}]) => {
        begun++;
        if (begun === 3) createConnection(server.address).write(`{"type":"${request}"}\n`);
        await take(begun, signal, control);
        return { loss: 1, logProbabilities: float32Tensor([1, 1]), gradientNorm: 1 };
      },
      lend: (_, use) => use({ state: new Map(), optimizer: new Map(), step: begun }),
      enter: () => Promise.resolve(),
      dispose: () => Promise.resolve(),
    },
    validate: () => Promise.reject(cancelled()),
    save: (work) => work(),
    control,
    start: {
      step: 0,
      epoch: 0,
      batchInEpoch: 0,
      trainLoss: { sum: 0, images: 0 },
      earlyStop: { epochsWithoutBetter: 0, bestLoss: undefined },
      best: undefined,
      measuredOn: undefined,
    },
    emit: (event) => {
      events.push(event);
      if (event.event === 'state' && event.state === 'paused') setImmediate(control[after]);
    },
    record: () => Promise.resolve(),
  });
  try {
    const { state, reason } = await result;
    return { state, reason, begun, frozenRuns, events, saved: existsSync(join(folder, 'last.safetensors')) };
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

test('no step begins after a stop that came in the middle of one, and what was learned is saved', async () => {
  const { state, reason, begun, frozenRuns, saved } = await askInThirdStep('stop');
  assert.deepEqual([state, begun, saved], ['stopped', 3, true]);
  assert.equal(reason, `Stopped after step 3 of ${stepsPerEpoch}.`);
  // Nor is more computed ahead than what had begun by then.
  assert.ok(frozenRuns <= 4, `${frozenRuns} runs ahead`);
});

test('no step begins after a pause that came in the middle of one', async () => {
  const { begun, events } = await askInThirdStep('pause');
  assert.equal(begun, 3);
  assert.ok(events.some((event) => event.event === 'state' && event.state === 'paused'));
});

test('a step in parts is given up for a pause and taken after it, and given up for a stop', async () => {
  const { reason, begun, events, saved } = await askInThirdStep('pause', inParts, 'resume');
  assert.equal(reason, `Stopped after step 3 of ${stepsPerEpoch}.`);
  assert.deepEqual([begun, saved], [5, true]);
  const told = events.flatMap<number | string>((event) => (event.event === 'step' ? [event.step] : event.event === 'state' ? [event.state] : [])); // prettier-ignore
  assert.deepEqual(told.slice(0, 6), [1, 2, 'paused', 'running', 3, 'stopping']);
});
