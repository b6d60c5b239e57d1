import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { readRunRecord } from '../../src/runs/record.ts';
import { allEvents } from '../unit/runs/allEvents.ts';
import type { TrainingConfig } from '../../src/protocol/trainingConfig.ts';
import { type TrainerMessage, trainerMessageSchema } from '../../src/protocol/trainerProtocol.ts';
import type { TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../unit/training/tinyDataset.ts';

const trainer = join(import.meta.dirname, '../../dist/ml/trainer.mjs');
/** Without what our test runner loads for TypeScript. */
const env = { ...process.env, NODE_OPTIONS: '' };

/** Starts a trainer process as the editor does, and waits for the folder that it prints. */
async function startTrainer(context: TestContext, config: TrainingConfig, folder: string) {
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify(config));
  const child = spawn(process.execPath, [trainer, file, join(folder, 'runs'), 'run'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, ended, folder: (JSON.parse(line) as { folder: string }).folder };
}

async function follow(address: string) {
  const socket = createConnection(address);
  const messages: TrainerMessage[] = [];
  const lines = createInterface({ input: socket });
  lines.on('line', (line) => messages.push(trainerMessageSchema.parse(JSON.parse(line))));
  await once(lines, 'line');
  return { socket, messages, closed: once(socket, 'close') };
}

test('history from the folder and news from the socket make the whole, and a client can stop the run', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { epochs: 500 });
  const run = await startTrainer(context, config, folder);
  const { process: owner } = await readRunRecord(run.folder);
  assert.equal(owner?.pid, run.child.pid);
  run.child.kill('SIGHUP');
  const client = await follow(owner?.socket ?? '');
  const [hello] = client.messages;
  assert.ok(hello?.type === 'hello' && hello.run === 'run');
  const isStep = (message: TrainerMessage) => message.type === 'event' && message.event.event === 'step';
  while (!client.messages.some(isStep)) await once(client.socket, 'data');
  client.socket.write('{"type":"stop"}\n');
  await client.closed;
  const [code] = (await run.ended) as [number];
  assert.equal(code, 0);
  const events = await allEvents(run.folder);
  const news = client.messages.slice(1).map((message) => message.type === 'event' && message.event);
  assert.deepEqual([...events.slice(0, hello.events), ...news], events);
  const done = events.at(-1) as Extract<TrainingEvent, { event: 'done' }>;
  assert.equal(done.state, 'stopped');
  assert.equal((await readRunRecord(run.folder)).state, 'stopped');
});

test('a signal stops the run after the step, and a wrong configuration is one sentence and code 2', async (context) => {
  const folder = await temporaryFolder(context);
  const config = tinyConfig(await drawTinyDataset(folder), { epochs: 500 });
  const run = await startTrainer(context, config, folder);
  run.child.kill('SIGTERM');
  const [code] = (await run.ended) as [number];
  assert.equal(code, 0);
  assert.equal((await readRunRecord(run.folder)).state, 'stopped');

  const wrong = spawn(process.execPath, [trainer, '-', join(folder, 'runs')], { env });
  let told = '';
  wrong.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  wrong.stdin.end('{"epochs": 0}');
  // Not `exit`, after which there may be something to read.
  const [wrongCode] = (await once(wrong, 'close')) as [number];
  assert.equal(wrongCode, 2);
  assert.match(told, /^The configuration is wrong at [^\n]*\n$/u);
});
