import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createTrainingControl, whenNotPaused } from '../../../src/ml/training/run/control.ts';
import { serveRun } from '../../../src/ml/trainer/serveRun.ts';
import { type TrainerMessage, trainerMessageSchema } from '../../../src/protocol/trainerProtocol.ts';

const log = (message: string) => ({ event: 'log', time: '2026-01-02T03:04:05.000Z', level: 'info', message }) as const;

function connect(address: string) {
  const socket: Socket = createConnection(address);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async (): Promise<TrainerMessage> => {
    const { value } = (await lines.next()) as { value: string };
    return trainerMessageSchema.parse(JSON.parse(value));
  };
  return { socket, next };
}

test('every client hears how many events lie in the folder, then all that follow', async () => {
  const server = await serveRun(createTrainingControl());
  server.begin('a run', 3);
  const early = connect(server.address);
  assert.deepEqual(await early.next(), { type: 'hello', version: 1, run: 'a run', events: 3 });
  server.event(log('four'));
  const late = connect(server.address);
  assert.deepEqual(await late.next(), { type: 'hello', version: 1, run: 'a run', events: 4 });
  server.event(log('five'));
  assert.deepEqual(await early.next(), { type: 'event', event: log('four') });
  assert.deepEqual(await early.next(), { type: 'event', event: log('five') });
  assert.deepEqual(await late.next(), { type: 'event', event: log('five') });
  await server.close();
  if (process.platform !== 'win32') assert.ok(!existsSync(server.address), 'the socket is cleaned up');
});

test('requests steer the run; what is no request does no harm', async () => {
  const control = createTrainingControl();
  const server = await serveRun(control);
  const client = connect(server.address);
  await client.next();
  const changed = () =>
    new Promise<void>((resolve) => {
      const end = control.onChange(() => {
        end();
        resolve();
      });
    });
  const paused = changed();
  client.socket.write('no json\n{"type":"explode"}\n\n[1]\n{"type":"pa');
  client.socket.write('use"}\n');
  await paused;
  assert.ok(control.paused);
  const waiting = whenNotPaused(control);
  const stopped = changed();
  client.socket.write('{"type":"stop"}\n');
  await stopped;
  await waiting;
  assert.deepEqual([control.paused, control.signal.aborted], [false, true]);
  control.pause();
  assert.ok(!control.paused, 'a run that stops cannot be paused any more');
  await server.close();
});

test('a client that floods or vanishes disturbs neither the run nor other clients', async () => {
  const server = await serveRun(createTrainingControl());
  const flooding = connect(server.address);
  await flooding.next();
  const closed = new Promise((resolve) => flooding.socket.once('close', resolve));
  flooding.socket.on('error', () => undefined);
  flooding.socket.write('x'.repeat(100_000));
  await closed;
  const good = connect(server.address);
  await good.next();
  server.event(log('still here'));
  assert.deepEqual(await good.next(), { type: 'event', event: log('still here') });
  await server.close();
});

test('a client that does not read is hung up on before what waits for it grows large', async () => {
  const server = await serveRun(createTrainingControl());
  server.begin('run', 0);
  const client = createConnection(server.address);
  await once(client, 'connect');
  client.on('error', () => undefined);
  const closed = once(client, 'close');
  const event = { event: 'log', time: '', level: 'info', message: 'x'.repeat(1_000_000) } as const;
  for (let count = 0; count < 60; count++) {
    server.event(event);
    await delay(2);
  }
  let kept = 0;
  client.on('data', (part) => (kept += part.length));
  await closed;
  assert.ok(kept < 10e6, `${(kept / 1e6).toFixed(0)} of 60 MB were kept for it`);
  await server.close();
});
