import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { connectPage } from '../../../src/extension/panels/pageConnection.ts';
import { createPanelMemory } from '../../../src/extension/panels/panelMemory.ts';
import { readEvaluations } from '../../../src/runs/evaluations.ts';
import { createEvaluationSession } from '../../../src/extension/panels/evaluationSession.ts';
import { createPredictionSession, type PredictionRequest } from '../../../src/extension/panels/predictionSession.ts';
import { createTrainingSession } from '../../../src/extension/panels/trainingSession.ts';
import { webviewHtml } from '../../../src/extension/panels/webviewHtml.ts';
import { cancelled, userError } from '../../../src/protocol/errors.ts';
import type { ConfidenceCalibration } from '../../../src/protocol/confidenceCalibration.ts';
import { evaluationPath, type Evaluation } from '../../../src/protocol/evaluation.ts';
import type { EvaluationPanelToPage } from '../../../src/protocol/evaluationPanel.ts';
import { cropNames } from '../../../src/protocol/prediction.ts';
import type { PredictionPanelToPage } from '../../../src/protocol/predictionPanel.ts';
import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import type { ShownRun, TrainingPanelToPage } from '../../../src/protocol/trainingPanel.ts';

/** Longer than a session gathers what it sends. */
const moment = 120;

test('a page allows its own script and style and nothing else, whatever its title holds', () => {
  const html = webviewHtml({
    title: '"><script>alert(1)</script>',
    panel: 'a"b',
    cspSource: 'https://origin',
    script: 'https://origin/training.js',
    style: 'https://origin/training.css',
    language: 'en',
    texts: undefined,
    nonce: 'N0nce',
  });
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
  const directives = new Map(
    policy.split('; ').map((part) => [part.split(' ')[0], part.split(' ').slice(1).join(' ')]),
  );
  assert.equal(directives.get('default-src'), "'none'");
  assert.equal(directives.get('script-src'), "'nonce-N0nce'");
  assert.ok(!policy.includes('unsafe'));
  assert.equal(html.match(/<script/g)?.length, 1);
  assert.match(html, /data-panel="a&quot;b"/);
});

test('nothing is sent before a page is ready, and a page that begins anew gets everything again', () => {
  const sent: unknown[] = [];
  const received: unknown[] = [];
  const misfits: string[] = [];
  let page: (message: unknown) => void = () => undefined;
  let replays = 0;
  const connection = connectPage<string, { type: 'ready' } | { type: 'go' }>(
    {
      postMessage: (message) => Promise.resolve(sent.push(message) > 0),
      onDidReceiveMessage: (listener) => {
        page = listener;
        return { dispose: () => (page = () => undefined) };
      },
    },
    {
      schema: z.discriminatedUnion('type', [
        z.object({ type: z.literal('ready') }),
        z.object({ type: z.literal('go') }),
      ]),
      replay: () => {
        replays++;
        connection.post('all');
      },
      receive: (message) => received.push(message),
      onMisfit: (reason) => misfits.push(reason),
    },
  );
  connection.post('lost');
  page({ type: 'ready' });
  page({ type: 'go' });
  page({ type: 'stop' });
  page('nonsense');
  connection.post('news');
  connection.sleep();
  connection.post('hidden');
  page({ type: 'ready' });
  connection.dispose();
  page({ type: 'go' });
  connection.post('late');
  assert.deepEqual(sent, ['all', 'news', 'all']);
  assert.deepEqual([replays, received.length, misfits.length], [2, 1, 2]);
});

test('a panel is given back what it showed by the name that its page kept', () => {
  const stored = new Map<string, unknown>();
  const storage = {
    get: (key: string) => stored.get(key),
    // As the editor does it: what is stored is JSON.
    update: (key: string, value: unknown) => Promise.resolve(void stored.set(key, JSON.parse(JSON.stringify(value)))),
  };
  const runs = createPanelMemory(storage, z.object({ folders: z.array(z.string()) }));
  const images = createPanelMemory(storage, z.object({ images: z.array(z.string()) }));
  runs.remember('one', { folders: ['a'] });
  images.remember('two', { images: ['b'] });
  runs.remember('one', { folders: ['a', 'c'] });
  assert.deepEqual(runs.recall({ panel: 'one', zoom: 3 }), { id: 'one', value: { folders: ['a', 'c'] } });
  assert.deepEqual(images.recall({ panel: 'two' })?.value, { images: ['b'] });
  for (const state of [undefined, { panel: 'two' }, { panel: 7 }, 'one']) assert.equal(runs.recall(state), undefined);
  runs.forget('one');
  assert.equal(runs.recall({ panel: 'one' }), undefined);
});

function stepEvent(step: number): TrainingEvent {
  const base = { time: '', epoch: step / 10, learningRate: 0.1, imagesPerSecond: 1, secondsLeft: 1 };
  return { event: 'step', step, loss: 1 / step, memoryBytes: 1, device: 'cpu', ...base };
}

/** Runs whose events a test lets grow, and what a page that obeys the protocol has of them. */
function trainingStage(names: readonly string[]) {
  const events = new Map(names.map((name) => [name, [] as TrainingEvent[]]));
  const listeners = new Map<string, Set<(from: number) => void>>();
  const page = new Map<string, TrainingEvent[]>();
  const messages: TrainingPanelToPage[] = [];
  const runs = names.map((folder) => ({ folder, record: { name: folder }, brokenOff: false }) as unknown as ShownRun);
  const session = createTrainingSession(
    {
      runs: () => runs,
      details: () => ({ usable: true }),
      follow: (folder) => ({
        get events() {
          return events.get(folder) ?? [];
        },
        onEvents: (listener) => {
          const own = listeners.get(folder) ?? new Set();
          listeners.set(folder, own.add(listener));
          return () => own.delete(listener);
        },
        dispose: () => undefined,
      }),
    },
    (message) => {
      messages.push(message);
      if (message.type !== 'events') return;
      const kept = message.from === 0 ? [] : (page.get(message.folder) ?? []);
      assert.equal(kept.length, message.from, 'a gap or a repetition');
      page.set(message.folder, [...kept, ...message.events]);
    },
  );
  const grow = (folder: string, count: number) => {
    const own = events.get(folder) ?? [];
    const from = own.length;
    own.push(...Array.from({ length: count }, (_, index) => stepEvent(from + index + 1)));
    for (const listener of listeners.get(folder) ?? []) listener(from);
  };
  const begin = (folder: string, count = 0) => {
    events.set(
      folder,
      Array.from({ length: count }, (_, index) => stepEvent(index + 1)),
    );
    for (const listener of listeners.get(folder) ?? []) listener(0);
  };
  return { session, grow, begin, page, messages, listeners };
}

test('a page that begins in the middle of a run has each event once and in order, and so has one that begins anew', async () => {
  const { session, grow, page, messages } = trainingStage(['a', 'b']);
  grow('a', 12_000);
  session.show(['a']);
  await delay(moment);
  grow('a', 3);
  // A replay while news waits to be sent.
  session.replay();
  grow('a', 4);
  await delay(moment);
  assert.deepEqual(
    page.get('a')?.map((event) => event.event === 'step' && event.step),
    Array.from({ length: 12_007 }, (_, index) => index + 1),
  );
  assert.ok(messages.every((message) => message.type !== 'events' || message.events.length <= 10_000));
  session.dispose();
});

test('events that come within a frame go to the page together', async () => {
  const { session, grow, messages } = trainingStage(['a']);
  session.show(['a']);
  await delay(moment);
  messages.length = 0;
  for (let count = 0; count < 50; count++) grow('a', 1);
  await delay(moment);
  assert.equal(messages.filter(({ type }) => type === 'events').length, 1);
  session.dispose();
});

test('a history that was replaced begins anew in the page', async () => {
  const { session, grow, begin, page } = trainingStage(['a']);
  session.show(['a']);
  grow('a', 5);
  await delay(moment);
  begin('a');
  assert.deepEqual(page.get('a'), []);
  grow('a', 2);
  await delay(moment);
  assert.equal(page.get('a')?.length, 2);
  session.dispose();
});

test('a long history that is thinned again and again keeps no other curve waiting', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const pass = (milliseconds: number) => {
    for (const end = now + milliseconds; now < end;) {
      now += 10;
      t.mock.timers.tick(10);
    }
  };
  const { session, grow, begin, page } = trainingStage(['long', 'other']);
  session.show(['long', 'other']);
  grow('long', 5);
  pass(20);
  assert.equal(page.get('long')?.length, 5);
  begin('long', 3);
  grow('other', 2);
  pass(900);
  assert.equal(page.get('long')?.length, 5, 'what begins anew waits its second');
  assert.equal(page.get('other')?.length, 2);
  pass(100);
  assert.equal(page.get('long')?.length, 3);
  session.dispose();
});

test('only runs that exist are shown, the others are offered, and nobody follows what is not shown', async () => {
  const { session, messages, listeners } = trainingStage(['a', 'b', 'c']);
  session.show(['b', 'gone', 'a', 'b']);
  assert.deepEqual(session.folders, ['b', 'a']);
  const last = messages.findLast((message) => message.type === 'runs');
  assert.ok(last?.type === 'runs');
  assert.deepEqual(
    last.shown.map(({ folder }) => folder),
    ['b', 'a'],
  );
  assert.deepEqual(last.others, [{ folder: 'c', name: 'c' }]);
  session.show(['c']);
  assert.deepEqual(
    [...listeners].filter(([, own]) => own.size > 0).map(([folder]) => folder),
    ['c'],
  );
  session.dispose();
  assert.equal(listeners.get('c')?.size, 0);
  await delay(0);
});

function prediction(image: string, cropCount: 1 | 5 = 5) {
  const mean = [{ index: 0, folder: '1', name: 'rose', probability: 1 }];
  const frame = { left: 0, top: 0, width: 1, height: 1 };
  const crops = cropNames.slice(0, cropCount).map((crop) => ({ crop, frame, top: mean }));
  return { type: 'prediction' as const, prediction: { image, width: 1, height: 1, crops, mean }, thumbnail: 't' };
}

/** A session whose requests a test answers, and what a page that obeys the protocol shows. */
function predictionStage() {
  const requests: (PredictionRequest & { finish: (error?: Error) => void })[] = [];
  const page: { list: string[]; images: string[]; failed: string[]; busy: boolean; error: string } = {
    list: [],
    images: [],
    failed: [],
    busy: false,
    error: '',
  };
  const toldOfClassifier: boolean[] = [];
  const told: PredictionPanelToPage[] = [];
  const receive = (message: PredictionPanelToPage) => {
    told.push(message);
    if (message.type === 'clear') Object.assign(page, { list: [], images: [], failed: [], error: '' });
    if (message.type === 'images') page.list = message.images;
    if (message.type === 'progress') page.busy = message.busy;
    if (message.type === 'error') page.error = message.message;
    if (message.type !== 'results') return;
    page.images.push(...message.predictions.map(({ prediction: { image } }) => image));
    page.failed.push(...message.failed.map(({ image }) => image));
  };
  const session = createPredictionSession(
    (request) =>
      new Promise((resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(cancelled()));
        requests.push({ ...request, finish: (error) => (error ? reject(error) : resolve()) });
      }),
    receive,
    () => toldOfClassifier.push(session.using.wholeImages),
  );
  const source = { kind: 'checkpoint', path: 'best.safetensors' } as const;
  return { session, requests, page, source, toldOfClassifier, told };
}

test('images are classified once their source is known, and a page that begins anew shows the same', async () => {
  const { session, requests, page, source } = predictionStage();
  session.classify(['a', 'b', 'a']);
  assert.equal(requests.length, 0);
  session.use({ source });
  assert.deepEqual(requests[0]?.images, ['a', 'b']);
  requests[0].onAnswer(prediction('a'));
  requests[0].onAnswer({ type: 'failed', failed: { image: 'b', error: 'damaged' } });
  session.replay();
  assert.deepEqual(page, { list: ['a', 'b'], images: ['a'], failed: ['b'], busy: true, error: '' });
  requests[0].finish();
  await delay(moment);
  session.replay();
  assert.deepEqual(page, { list: ['a', 'b'], images: ['a'], failed: ['b'], busy: false, error: '' });
});

test('a page knows the classes of what classifies, also when it begins anew, and none of another source', () => {
  const { session, requests, told, source } = predictionStage();
  const classes = [{ index: 0, folder: '1', name: 'rose' }];
  session.classify(['a'], { source });
  requests[0]?.onAnswer({ type: 'classifier', wholeImages: false, classes });
  session.use({ crops: 1 });
  session.replay();
  session.use({ source: { ...source, path: 'other.safetensors' } });
  const heard = told.flatMap((message) => (message.type === 'classes' ? [message.classes] : []));
  assert.deepEqual(heard, [[], classes, classes, []]);
});

test('images that a network saw whole are classified, although it made one crop where five were asked for', async () => {
  const { session, requests, source, toldOfClassifier } = predictionStage();
  session.classify(['a'], { source });
  requests[0]?.onAnswer({ type: 'classifier', wholeImages: true, classes: [] });
  requests[0]?.onAnswer(prediction('a', 1));
  requests[0]?.finish();
  await delay(moment);
  session.add(['b']);
  assert.deepEqual(requests[1]?.images, ['b']);
  // Of another source nothing is known yet.
  session.use({ source: { ...source, path: 'other.safetensors' } });
  assert.deepEqual(toldOfClassifier, [true]);
  assert.equal(session.using.wholeImages, false);
});

test('what an outdated request still answers is not shown', async () => {
  const { session, requests, page, source } = predictionStage();
  session.classify(['a'], { source });
  session.classify(['b']);
  assert.ok(requests[0]?.signal.aborted);
  requests[0].onAnswer(prediction('a'));
  requests[1]?.onAnswer(prediction('b'));
  requests[1]?.finish();
  await delay(moment);
  assert.deepEqual([page.images, page.busy], [['b'], false]);
});

test('images that are dropped while others are classified come after them, each once', async () => {
  const { session, requests, page, source } = predictionStage();
  session.classify(['a'], { source });
  session.add(['a', 'b']);
  session.add(['c']);
  assert.equal(requests.length, 1);
  requests[0]?.onAnswer(prediction('a'));
  requests[0]?.finish();
  await delay(moment);
  assert.deepEqual(requests[1]?.images, ['b', 'c']);
  for (const image of ['b', 'c']) requests[1].onAnswer(prediction(image));
  requests[1].finish();
  await delay(moment);
  assert.deepEqual(
    [page.images, session.paths],
    [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ],
  );
});

test('a cancelled classification keeps what it found and says nothing; a failed one says its sentence', async () => {
  const { session, requests, page, source } = predictionStage();
  session.classify(['a', 'b'], { source });
  requests[0]?.onAnswer(prediction('a'));
  session.cancel();
  await delay(moment);
  assert.deepEqual(page, { list: ['a', 'b'], images: ['a'], failed: [], busy: false, error: '' });
  session.use({ crops: 1 });
  requests[1]?.finish(userError('Choose another checkpoint.'));
  await delay(moment);
  session.replay();
  assert.deepEqual([requests[1]?.crops, page.error, page.busy], [1, 'Choose another checkpoint.', false]);
});

test('of five crops the centre is at hand: another number of crops classifies only what lacks some', async () => {
  const { session, requests, page, source } = predictionStage();
  session.classify(['a', 'b'], { source, crops: 5 });
  for (const image of ['a', 'b']) requests[0]?.onAnswer(prediction(image));
  requests[0]?.finish();
  await delay(moment);
  session.use({ crops: 1 });
  session.use({ crops: 5 });
  session.use({ crops: 1 });
  assert.equal(requests.length, 1, 'all is there');
  session.add(['c']);
  assert.deepEqual([requests[1]?.images, requests[1]?.crops], [['c'], 1]);
  requests[1]?.onAnswer(prediction('c', 1));
  requests[1]?.finish();
  await delay(moment);
  session.use({ crops: 5 });
  assert.deepEqual([requests[2]?.images, requests[2]?.crops], [['c'], 5]);
  assert.deepEqual(page.images, ['a', 'b', 'c'], 'what was found stays');
});

test('images that were not classified are kept after a failure, and only they are tried again', async () => {
  const { session, requests, page, source } = predictionStage();
  session.classify(['folder', 'x'], { source });
  assert.deepEqual(page.list, ['folder', 'x']);
  requests[0]?.onAnswer({ type: 'images', images: ['folder/a', 'folder/b', 'x'] });
  requests[0]?.onAnswer(prediction('folder/a'));
  requests[0]?.finish(userError('The process ended.'));
  await delay(moment);
  session.replay();
  assert.deepEqual(
    [page.list, page.images, page.error],
    [['x', 'folder/a', 'folder/b'], ['folder/a'], 'The process ended.'],
  );
  session.goOn();
  assert.deepEqual(requests[1]?.images, ['x', 'folder/b']);
  assert.deepEqual(session.paths, ['folder', 'x'], 'what a reload begins with');
});

test('an image that was taken off the list stays off, also when its folder is read again', async () => {
  const { session, requests, page, source } = predictionStage();
  session.classify(['folder'], { source });
  const images = ['folder/a', 'folder/b'];
  requests[0]?.onAnswer({ type: 'images', images });
  session.remove('folder/a');
  requests[0]?.onAnswer(prediction('folder/a'));
  requests[0]?.onAnswer(prediction('folder/b'));
  requests[0]?.finish();
  await delay(moment);
  assert.deepEqual([page.list, page.images], [['folder/b'], ['folder/b']]);
  // After a reload of the window.
  session.classify(session.paths, { removed: session.removed });
  requests[1]?.onAnswer({ type: 'images', images });
  assert.deepEqual(page.list, ['folder/b']);
  session.add(['folder/a']);
  assert.deepEqual(page.list, ['folder/b', 'folder/a'], 'asked for again, it is there again');
});

const evaluation: Evaluation = {
  ...{ version: 1, checkpoint: '', data: '/data', split: 'test', cropCount: 1, images: 1, leftOut: 0 },
  ...{ loss: 1, accuracy: 1, top5: 1, perClass: [], confusion: [[0, 0, 1]], results: [] },
  time: '2026-01-01T00:00:00.000Z',
};

/** What sources of sessions have that are about something else. */
const uncalibrated = {
  calibration: () => Promise.resolve(undefined),
  calibrate: () => Promise.reject(userError('Nothing to calibrate.')),
  uncalibrate: () => Promise.reject(userError('Nothing to remove.')),
  table: () => Promise.reject(userError('No table.')),
};

test('results kept beside a checkpoint are found, newest first, and what is none is said', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-evaluations-'));
  try {
    const checkpoint = join(folder, 'best.safetensors');
    const five = { ...evaluation, cropCount: 5, time: '2026-02-01T00:00:00.000Z' } as const;
    for (const one of [evaluation, five]) {
      await writeFile(evaluationPath({ ...one, checkpoint }), JSON.stringify({ ...one, checkpoint: '/elsewhere' }));
    }
    await writeFile(join(folder, 'best.valid-1.evaluation.json'), '{"version": 2}');
    await writeFile(join(folder, 'last.test-1.evaluation.json'), JSON.stringify(evaluation));
    const misfits: string[] = [];
    const found = await readEvaluations(checkpoint, (reason) => misfits.push(reason));
    assert.deepEqual(found, [
      { ...five, checkpoint },
      { ...evaluation, checkpoint },
    ]);
    assert.equal(misfits.length, 1);
    assert.deepEqual(await readEvaluations(join(folder, 'gone', 'best.safetensors'), () => undefined), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a test with one crop and five tells of each as it is done, and a page that begins anew shows the failure', async () => {
  const kept: Evaluation[] = [];
  const messages: EvaluationPanelToPage[] = [];
  const session = createEvaluationSession(
    {
      label: 'run, best',
      read: () => Promise.resolve([...kept]),
      written: () => Promise.resolve('2026-01-02T00:00:00.000Z'),
      wholeImages: () => Promise.resolve(false),
      ...uncalibrated,
      refusal: () => undefined,
      evaluate: ({ crops, onAnswer }) => {
        onAnswer({ type: 'progress', what: 'Testing', done: 1, total: 2 });
        if (crops === 5) return Promise.reject(userError('The folder is gone.'));
        kept.unshift({ ...evaluation, cropCount: crops });
        return Promise.resolve();
      },
    },
    (message) => messages.push(message),
  );
  await session.test({ data: '/data', split: 'test' }, [1, 5]);
  assert.deepEqual(
    messages.map(({ type }) => type),
    ['progress', 'progress', 'evaluations', 'progress', 'error', 'progress'],
  );
  messages.length = 0;
  await session.replay();
  assert.deepEqual(
    messages.map((message) =>
      message.type === 'evaluations' ? [message.evaluations.length, message.written] : message,
    ),
    [
      [1, '2026-01-02T00:00:00.000Z'],
      { type: 'progress', busy: false, what: '', done: 0, total: 0 },
      { type: 'error', message: 'The folder is gone.' },
    ],
  );
});

test('a page is told with the results why nothing can be tested, until it can', async () => {
  let refusal: string | undefined = 'Testing waits until you trust this workspace.';
  const refusals: (string | undefined)[] = [];
  const session = createEvaluationSession(
    {
      label: 'run, best',
      read: () => Promise.resolve([evaluation]),
      written: () => Promise.resolve(undefined),
      wholeImages: () => Promise.resolve(false),
      ...uncalibrated,
      refusal: () => refusal,
      evaluate: () => Promise.resolve(),
    },
    (message) => {
      if (message.type === 'evaluations') refusals.push(message.refusal);
    },
  );
  await session.replay();
  refusal = undefined;
  await session.refresh();
  assert.deepEqual(refusals, ['Testing waits until you trust this workspace.', undefined]);
});

test('results that are read late never take the place of newer ones', async () => {
  const reads: ((found: Evaluation[]) => void)[] = [];
  const shown: number[] = [];
  const session = createEvaluationSession(
    {
      label: 'run, best',
      read: () => new Promise((resolve) => reads.push(resolve)),
      written: () => Promise.resolve(undefined),
      wholeImages: () => Promise.resolve(false),
      ...uncalibrated,
      refusal: () => undefined,
      evaluate: () => Promise.resolve(),
    },
    (message) => {
      if (message.type === 'evaluations') shown.push(message.evaluations.length);
    },
  );
  const looks = [session.refresh(), session.refresh()];
  reads[1]?.([evaluation, { ...evaluation, cropCount: 5 }]);
  reads[0]?.([evaluation]);
  await Promise.all(looks);
  assert.deepEqual(shown, [2]);
});

test('after a calibration, and after its removal, what is shown is tested again, and the page hears what the checkpoint keeps', async () => {
  const asked: unknown[] = [];
  let calibration: ConfidenceCalibration | undefined;
  const messages: EvaluationPanelToPage[] = [];
  const session = createEvaluationSession(
    {
      ...{ label: 'run, best', read: () => Promise.resolve([evaluation]), written: () => Promise.resolve(undefined) },
      ...{ wholeImages: () => Promise.resolve(false), refusal: () => undefined, table: uncalibrated.table },
      calibration: () => Promise.resolve(calibration),
      calibrate: ({ targetError }) => {
        asked.push(['calibrate', targetError]);
        calibration = { temperature: { 1: 1.5 }, images: 30 };
        return Promise.resolve();
      },
      uncalibrate: () => {
        asked.push('uncalibrate');
        calibration = undefined;
        return Promise.resolve();
      },
      evaluate: ({ data, split, crops }) => {
        asked.push([data, split, crops]);
        return Promise.resolve();
      },
    },
    (message) => messages.push(message),
  );
  await session.calibrate(0.02, { data: '/data', split: 'test' }, [1, 5]);
  assert.deepEqual(asked, [
    ['calibrate', 0.02],
    ['/data', 'test', 1],
    ['/data', 'test', 5],
  ]);
  const told = () => messages.filter((message) => message.type === 'evaluations').at(-1);
  assert.deepEqual(told()?.calibration, { temperature: { 1: 1.5 }, images: 30 });
  await session.uncalibrate({ data: '/data', split: 'test' }, [1]);
  assert.deepEqual(asked.slice(3), ['uncalibrate', ['/data', 'test', 1]]);
  assert.equal(told()?.calibration, undefined);
});

test('probabilities go to a page only when it asks for those of a test', async () => {
  const probabilities = { classes: [0], float32: 'AACAPw==' };
  const messages: EvaluationPanelToPage[] = [];
  const session = createEvaluationSession(
    {
      ...{ label: 'run, best', written: () => Promise.resolve(undefined), wholeImages: () => Promise.resolve(false) },
      ...uncalibrated,
      read: () => Promise.resolve([{ ...evaluation, probabilities }]),
      refusal: () => undefined,
      evaluate: () => Promise.resolve(),
    },
    (message) => messages.push(message),
  );
  await session.replay();
  const [told] = messages;
  assert.equal(told?.type === 'evaluations' && told.evaluations[0]?.probabilities, undefined);
  await session.showProbabilities(evaluation.time, 1);
  await session.showProbabilities(evaluation.time, 5);
  assert.deepEqual(messages.slice(-2), [
    { type: 'probabilities', time: evaluation.time, crops: 1, probabilities },
    { type: 'probabilities', time: evaluation.time, crops: 5 },
  ]);
});
