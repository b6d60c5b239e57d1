import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { stage } from './scenarios.ts';
import { until } from './until.ts';
import {
  chooseInContextMenu,
  explorerRow,
  notification,
  openViewContainer,
  screenshot,
  startTraining,
  type Workbench,
} from './workbench.ts';

/** Bytes of the file that the network's weights are, and how it is called. */
const size = 4_966_400;
const name = 'squeezenet1_1-b8a52dc0.pth';
const settings = {
  data: 'photos',
  network: { kind: 'architecture', name: 'squeezenet1_1' },
  method: 'head',
  epochs: 1,
  device: 'cpu',
};

/** A mirror with a file of that name and size and of other content, which it sends as `pace` says. */
const mirror = await openMirror();
after(() => mirror.close());

const scenario = stage({
  theme: 'light',
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'photos'), 1);
    await writeFile(join(folder, 'squeeze.fivecrop.json'), JSON.stringify(settings));
    await mkdir(join(folder, '.vscode'));
    const places = { 'fivecrop.weightsMirror': mirror.address, 'fivecrop.weightsFolder': '.weights' };
    await writeFile(join(folder, '.vscode', 'settings.json'), JSON.stringify(places));
  },
});

scenario(
  'a download tells percent and time left, is cancelled in the middle, taken up again, and outlives a stall',
  async ({ workbench, folder }) => {
    const part = join(folder, '.weights', `${name}.part`);
    const toast = notification(workbench, /Pretrained weights of squeezenet1_1, 5 MB from 127\.0\.0\.1/);

    mirror.pace = 'slow';
    await train(workbench);
    await toast.filter({ hasText: /: \d+ %, \d\/5 MB, \d+ s left/ }).waitFor();
    await screenshot(workbench, 'download');
    await toast.getByRole('button', { name: 'Cancel' }).click();
    await toast.waitFor({ state: 'detached' });
    await until('nothing is sent any more', () => mirror.sending === 0);
    const kept = (await stat(part)).size;
    assert.ok(kept > 0 && kept < size, `${kept} bytes are kept`);
    assert.ok(!existsSync(join(folder, 'runs')), 'no run has begun');

    mirror.pace = 'stalled';
    mirror.asked.length = 0;
    await train(workbench);
    await toast.filter({ hasText: /: \d+ %/ }).waitFor();
    await until('it goes on from what was kept', () => mirror.asked.at(-1) === kept);
    await until('it asks again when nothing comes any more', () => {
      mirror.pace = 'fast';
      return mirror.asked.length > 1;
    });
    assert.ok((mirror.asked.at(-1) ?? 0) > kept, 'from where it stalled');
    // What arrived is another file, which is thrown away and said.
    await notification(workbench, /squeezenet1_1.*has another file under its name/).waitFor();
    assert.ok(!existsSync(part));
    assert.ok(!existsSync(join(folder, '.weights', name)));
  },
);

async function train(workbench: Workbench): Promise<void> {
  await openViewContainer(workbench, 'Explorer');
  await chooseInContextMenu(workbench, await explorerRow(workbench, 'squeeze.fivecrop.json'), 'Train with This File');
  await startTraining(workbench);
}

type Mirror = {
  readonly address: string;
  /** `slow`: the file takes most of a minute. `stalled`: nothing comes after the first of what is asked for. */
  pace: 'slow' | 'stalled' | 'fast';
  /** The byte from which on the file was asked for, each time; looks for its size are left out. */
  readonly asked: number[];
  /** Answers that are under way. */
  sending: number;
  readonly close: () => void;
};

async function openMirror(): Promise<Mirror> {
  const content = Buffer.alloc(size, 'other');
  const server = createServer((request, response) => {
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const end = to === '' ? size : Number(to) + 1;
    response.writeHead(206, {
      'content-length': end - Number(from),
      'content-range': `bytes ${from}-${end - 1}/${size}`,
    });
    if (to === '') made.asked.push(Number(from));
    made.sending++;
    void send(response, content.subarray(Number(from), end)).finally(() => made.sending--);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const made: Mirror = {
    address: `http://127.0.0.1:${port}`,
    pace: 'fast',
    asked: [],
    sending: 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };

  async function send(response: ServerResponse, body: Buffer): Promise<void> {
    const { pace } = made;
    if (pace === 'fast' || body.length === 1) {
      response.end(body);
      return;
    }
    const step = size / 100;
    for (let at = 0; at < body.length && !response.destroyed; at += step) {
      response.write(body.subarray(at, at + step));
      if (pace === 'stalled' && at > 0) {
        await once(response, 'close');
        return;
      }
      await delay(500);
    }
    response.end();
  }
  return made;
}
