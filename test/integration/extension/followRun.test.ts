import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFile, chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { followRun } from '../../../src/extension/trainer/followRun.ts';
import type { StoredRun } from '../../../src/runs/list.ts';
import { createRunCatalogue } from '../../../src/extension/trainer/runCatalogue.ts';
import { createRunEvents } from '../../../src/extension/trainer/runEvents.ts';
import { isTrainerSocket, sendToTrainer } from '../../../src/extension/trainer/trainerSocket.ts';
import { createTrainingControl } from '../../../src/ml/training/run/control.ts';
import { reopenRunFolder } from '../../../src/runs/runFolder.ts';
import { serveRun } from '../../../src/ml/trainer/serveRun.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import { until } from '../../e2e/until.ts';
import { temporaryFolder, writeRun } from '../../unit/extension/storedRun.ts';

const log = (message: string) =>
  ({ event: 'log', time: '2026-01-02T03:04:05.000Z', level: 'info', message }) as const satisfies TrainingEvent;

const messages = (events: readonly TrainingEvent[]) =>
  events.map((event) => (event.event === 'log' ? event.message : event.event));

async function storedRun(parent: string, folder: string): Promise<StoredRun> {
  const catalogue = createRunCatalogue();
  await catalogue.scan([parent]);
  const run = catalogue.get(folder);
  assert.ok(run);
  return run;
}

test('history from the file and news from the trainer make one line without gap or duplicate, whenever one comes', async (context) => {
  const parent = await temporaryFolder(context);
  const server = await serveRun(createTrainingControl());
  context.after(() => server.close());
  const started = new Date().toISOString();
  const folder = await writeRun(parent, 'run', {
    state: 'running',
    process: { pid: process.pid, started, socket: server.address },
  });
  await appendFile(join(folder, 'metrics.jsonl'), `${JSON.stringify(log('0'))}\n`);
  // The trainer's own way of writing: the file first, then the socket.
  const owned = await reopenRunFolder(folder).catch(() => undefined);
  assert.equal(owned, undefined, 'a live run is not taken over');
  const emit = async (index: number) => {
    await appendFile(join(folder, 'metrics.jsonl'), `${JSON.stringify(log(String(index)))}\n`);
    server.event(log(String(index)));
  };
  const run = await storedRun(parent, folder);
  const total = 300;
  let ended = 0;
  const followers = [];
  const onEnd = () => {
    ended++;
  };
  for (let index = 1; index < total; index++) {
    if (index % 100 === 1) {
      const follower = followRun(run, onEnd, () => true);
      context.after(() => follower.dispose());
      followers.push(follower);
    }
    await emit(index);
  }
  const expected = Array.from({ length: total }, (_, index) => String(index));
  for (const follower of followers) {
    await until('all events are heard', () => follower.events.length === total);
    assert.deepEqual(messages(follower.events), expected);
  }
  await server.close();
  await until('all followers have heard the end', () => ended === followers.length);
});

test('a trainer that is heard says itself when its file has grown; once it is silent, the file system is asked', async (context) => {
  const parent = await temporaryFolder(context);
  const server = await serveRun(createTrainingControl());
  context.after(() => server.close());
  const owner = { pid: process.pid, started: new Date().toISOString(), socket: server.address };
  const folder = await writeRun(parent, 'run', { state: 'running', process: owner });
  let ended = false;
  const follower = followRun(
    await storedRun(parent, folder),
    () => (ended = true),
    () => true,
  );
  context.after(() => follower.dispose());
  await follower.ready;
  const append = (message: string) => appendFile(join(folder, 'metrics.jsonl'), `${JSON.stringify(log(message))}\n`);
  await append('0');
  server.event(log('0'));
  await until('one event is heard', () => follower.events.length === 1);

  await append('1');
  follower.onGrow();
  await delay(50);
  assert.deepEqual(messages(follower.events), ['0'], 'read once, when the trainer says so');
  server.event(log('1'));
  await until('two events are heard', () => follower.events.length === 2);

  await server.close();
  await until('the end is heard', () => ended);
  await append('2');
  follower.onGrow();
  await until('three events are heard', () => follower.events.length === 3);
  assert.deepEqual(messages(follower.events), ['0', '1', '2']);
});

test('where no connection may be made, the file alone is read, and the trainer is heard as soon as one may', async (context) => {
  const parent = await temporaryFolder(context);
  const address = process.platform === 'win32' ? `\\\\.\\pipe\\fivecrop-${process.pid}` : join(parent, 'socket');
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on('error', () => undefined);
  });
  context.after(() => server.close());
  server.listen(address);
  await once(server, 'listening');
  const owner = { pid: process.pid, started: new Date().toISOString(), socket: address };
  const folder = await writeRun(parent, 'run', { state: 'running', process: owner });
  await appendFile(join(folder, 'metrics.jsonl'), `${JSON.stringify(log('0'))}\n`);
  let trusted = false;
  const run = await storedRun(parent, folder);
  const noEnd = () => undefined;
  const follower = followRun(run, noEnd, () => trusted);
  context.after(() => follower.dispose());
  await follower.ready;
  follower.update(run);
  await delay(50);
  assert.deepEqual(messages(follower.events), ['0']);
  assert.equal(connections, 0);
  trusted = true;
  follower.update(run);
  await until('there is one connection', () => connections === 1);
});

const withoutPipes = process.platform === 'win32' && 'pipes of Windows have no folder';

test(
  'a socket that a record names is spoken to only where it is a trainer’s and this user’s own',
  { skip: withoutPipes },
  async (context) => {
    const parent = await temporaryFolder(context);
    const server = await serveRun(createTrainingControl());
    context.after(() => server.close());
    assert.ok(isTrainerSocket(server.address));
    const listening = async (address: string) => {
      const other = createServer();
      other.listen(address);
      await once(other, 'listening');
      context.after(() => other.close());
      return address;
    };
    const open = join(parent, 'fivecrop-open');
    await mkdir(open);
    await chmod(open, 0o755);
    const elsewhere = join(parent, 'elsewhere');
    await mkdir(elsewhere, { mode: 0o700 });
    const link = join(parent, 'fivecrop-link');
    await symlink(elsewhere, link);
    await listening(join(elsewhere, 'socket'));
    const file = join(parent, 'socket');
    await writeFile(file, '');
    const others = [
      await listening(join(open, 'socket')),
      join(elsewhere, 'socket'),
      join(link, 'socket'),
      file,
      join(parent, 'gone'),
      '/var/run/docker.sock',
      '\\\\elsewhere\\pipe\\fivecrop-000000000000',
    ];
    for (const address of others) assert.ok(!isTrainerSocket(address), address);
  },
);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Memory that is held, without what is garbage. */
function megabytesHeld(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

test('a socket that never stops talking is read no faster than the file, and nothing of it is kept', async (context) => {
  const parent = await temporaryFolder(context);
  const address = process.platform === 'win32' ? `\\\\.\\pipe\\fivecrop-${'0'.repeat(12)}` : join(parent, 'socket');
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  let sent = 0;
  const server = createServer((socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(chunk)) sent++;
      sent++;
    };
    socket.on('error', () => undefined);
    socket.on('drain', more);
    more();
  });
  context.after(() => server.close());
  server.listen(address);
  await once(server, 'listening');
  const owner = { pid: process.pid, started: new Date().toISOString(), socket: address };
  const run = await storedRun(parent, await writeRun(parent, 'run', { state: 'running', process: owner }));
  const before = megabytesHeld();
  const follower = followRun(
    run,
    () => undefined,
    () => true,
  );
  context.after(() => follower.dispose());
  await follower.ready;
  await delay(500);
  const grown = megabytesHeld() - before;
  assert.ok(sent > 0);
  assert.ok(grown < 10, `${grown.toFixed(0)} MB more after ${sent} MB`);
});

test('a line that is still being written waits for its end; a replaced file is told from its beginning', async (context) => {
  const folder = await temporaryFolder(context);
  const file = join(folder, 'metrics.jsonl');
  const events = createRunEvents(folder);
  const told: [number, string[]][] = [];
  events.onEvents((from, news) => told.push([from, messages(news)]));
  await events.readOn();
  const line = JSON.stringify(log('äöü'));
  await writeFile(file, `${JSON.stringify(log('a'))}\nnot json\n${line.slice(0, 40)}`);
  await events.readOn();
  await appendFile(file, `${line.slice(40)}\n`);
  await events.readOn();
  await writeFile(file, `${JSON.stringify(log('b'))}\n`);
  await events.readOn();
  assert.deepEqual(told, [
    [0, ['a']],
    [1, ['äöü']],
    [0, []],
    [0, ['b']],
  ]);
});

test('lines longer than what is read at once are read whole', async (context) => {
  const folder = await temporaryFolder(context);
  const long = '花'.repeat(100_000);
  const lines = [log('first'), log(long), log('last')].map((event) => JSON.stringify(event));
  await writeFile(join(folder, 'metrics.jsonl'), `${lines.join('\n')}\n`);
  const events = createRunEvents(folder);
  await events.readOn();
  assert.deepEqual(messages(events.events), ['first', long, 'last']);
});

test('a hundred thousand steps are read in parts that leave others their turn, and few are held', async (context) => {
  const folder = await temporaryFolder(context);
  const step = (index: number) =>
    `{"event":"step","time":"2026-01-02T03:04:05.000Z","step":${index},"epoch":1.5,"loss":0.5,"learningRate":0.001,"imagesPerSecond":10,"secondsLeft":5,"memoryBytes":1000,"device":"cpu"}`;
  const lines = Array.from({ length: 100_000 }, (_, index) => step(index));
  await writeFile(join(folder, 'metrics.jsonl'), `${lines.join('\n')}\n`);
  const events = createRunEvents(folder);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const begun = performance.now();
  await events.readOn();
  console.log(`100,000 events read in ${(performance.now() - begun).toFixed(0)} ms, with ${turns} turns of others`);
  clearInterval(timer);
  assert.ok(events.events.length <= 20_000 && events.isThinned);
  const counted = events.events.map((event) => (event.event === 'step' ? (event.mean?.steps ?? 1) : 0));
  assert.equal(
    counted.reduce((sum, steps) => sum + steps, 0),
    100_000,
  );
  assert.ok(turns >= 20, `others had ${turns} turns`);
});

test('a live run is looked at now and then, one that has ended is not', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const parent = await temporaryFolder(context);
  const owner = { pid: process.pid, started: new Date().toISOString() };
  const folder = await writeRun(parent, 'run', { state: 'running', process: owner });
  const append = (message: string) => appendFile(join(folder, 'metrics.jsonl'), `${JSON.stringify(log(message))}\n`);
  const live = await storedRun(parent, folder);
  const follower = followRun(
    live,
    () => undefined,
    () => true,
  );
  context.after(() => follower.dispose());
  await follower.ready;
  await append('0');
  context.mock.timers.tick(2000);
  await until('one event is heard', () => follower.events.length === 1);
  follower.update({ ...live, state: 'finished' });
  await delay(50);
  await append('1');
  context.mock.timers.tick(10_000);
  await delay(50);
  assert.deepEqual(messages(follower.events), ['0']);
});

test('requests reach the trainer, and where nobody listens the user is told', async (context) => {
  const control = createTrainingControl();
  const server = await serveRun(control);
  context.after(() => server.close());
  await sendToTrainer(server.address, { type: 'pause' });
  await until('the run is paused', () => control.paused);
  await sendToTrainer(server.address, { type: 'stop' });
  await until('the run is stopped', () => control.signal.aborted);
  await server.close();
  await assert.rejects(sendToTrainer(server.address, { type: 'stop' }), UserError);
});
