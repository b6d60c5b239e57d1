import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { before, test } from 'node:test';
import { createTrainingControl } from '../../../src/ml/training/run/control.ts';
import { trainRun } from '../../../src/ml/training/run/trainRun.ts';
import { CancelledError } from '../../../src/protocol/errors.ts';
import { drawTinyDataset, temporaryFolder, tinyConfig } from '../../unit/training/tinyDataset.ts';
import { close, listen } from '../weights/imitatedHub.ts';

const network = { kind: 'architecture', name: 'timm/resnet18.mine_in1k' } as const;
const trainer = join(import.meta.dirname, '../../../dist/ml/trainer.mjs');

before(() => {
  delete process.env['FIVECROP_MIRROR'];
  process.env['NO_PROXY'] = '127.0.0.1';
});

/** A hub that never answers; resolves `asked` with the first question. */
async function silentHub() {
  const server = createServer();
  const asked = once(server, 'request');
  return { address: await listen(server), asked, close: () => close(server) };
}

test('a stop while the hub is asked for a network ends the run before it has a folder', async (context) => {
  const folder = await temporaryFolder(context);
  const hub = await silentHub();
  process.env['HF_ENDPOINT'] = hub.address;
  context.after(hub.close);
  const control = createTrainingControl();
  const out = join(folder, 'runs');
  const running = trainRun(
    { ...tinyConfig(await drawTinyDataset(folder), { method: 'head' }), network },
    {
      out,
      control,
      chooseEngine: () => Promise.reject(new Error('nothing is to be computed')),
      weights: { folder: join(folder, 'weights') },
    },
  );
  const ended = assert.rejects(running, CancelledError);
  await hub.asked;
  control.stop();
  await ended;
  assert.equal(existsSync(out), false);
});

test(
  'a trainer that is stopped while it asks the hub ends as one that was stopped, with a sentence and no stack',
  { skip: process.platform === 'win32' && 'Windows has no signal that a process could answer to' },
  async (context) => {
    const folder = await temporaryFolder(context);
    const hub = await silentHub();
    context.after(hub.close);
    const file = join(folder, 'config.json');
    const config = { ...tinyConfig(await drawTinyDataset(folder), { method: 'head' }), network };
    await writeFile(file, JSON.stringify(config));
    const runs = join(folder, 'runs');
    const child = spawn(process.execPath, [trainer, file, runs, '--weights-folder', join(folder, 'weights')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', HF_ENDPOINT: hub.address },
    });
    context.after(() => child.kill('SIGKILL'));
    const words = text(child.stderr);
    const ended = once(child, 'exit');
    await Promise.race([hub.asked, ended]);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.equal((await words).trim(), 'Stopped before the run had a folder; there is nothing to resume from.');
    assert.equal(existsSync(runs), false);
  },
);
