import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { removeFolder } from '../../scripts/host/codeServer.ts';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { runRecordSchema, type RunRecord } from '../../src/protocol/runRecord.ts';
import type { TrainingConfigInput } from '../../src/protocol/trainingConfig.ts';
import {
  chooseInContextMenu,
  chooseQuickPick,
  explorerRow,
  notification,
  openViewContainer,
  runCommand,
  screenshot,
  skipReason,
  treeRow,
  treeRows,
  withWorkbench,
  type Workbench,
} from './workbench.ts';

const config: TrainingConfigInput = {
  data: 'flowers',
  network: { kind: 'architecture', name: 'ConvNet1' },
  method: 'scratch',
  hidden: [],
  batchSize: 16,
  imageSize: 64,
  resize: 72,
  validateEvery: 5,
  engine: 'onnx',
  device: 'cpu',
};

test(
  'a killed run is shown as broken off and resumed at a click; the run that waited begins meanwhile',
  { skip: skipReason },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fivecrop-killed-'));
    try {
      await drawSampleDataset(join(folder, 'flowers'), 0);
      await writeFile(join(folder, 'long.fivecrop.json'), JSON.stringify({ ...config, epochs: 400 }));
      await writeFile(join(folder, 'short.fivecrop.json'), JSON.stringify({ ...config, epochs: 1 }));
      await withWorkbench({ folder, theme: 'dark' }, (workbench) => scenario(workbench, join(folder, 'runs')));
    } finally {
      await stopTrainers(join(folder, 'runs'));
      await removeFolder(folder);
    }
  },
);

async function scenario(workbench: Workbench, runs: string): Promise<void> {
  // Context menus are complete once the extension is known, which its icon shows.
  await openViewContainer(workbench, 'Fivecrop');
  await trainWithFile(workbench, 'long.fivecrop.json');
  await until('the run saves', async () => (await records(runs))[0]?.best !== undefined);
  const [first] = await records(runs);
  assert.ok(first);
  await trainWithFile(workbench, 'short.fivecrop.json');
  await chooseQuickPick(workbench, /Wait for its turn/);
  await openViewContainer(workbench, 'Fivecrop');
  await treeRows(workbench, 'Checkpoints').filter({ hasText: 'waits for its turn' }).waitFor();
  await screenshot(workbench, 'queue');
  assert.equal((await records(runs)).length, 1, 'the second run waits');

  process.kill(first.process?.pid ?? NaN, 'SIGKILL');
  const toast = notification(workbench, 'was broken off');
  await toast.waitFor();
  await treeRow(workbench, 'Checkpoints', first.name).filter({ hasText: 'broken off' }).waitFor();
  await screenshot(workbench, 'broken-off');
  await until('the run that waited begins', async () => (await records(runs)).length === 2);

  await toast.getByRole('button', { name: 'Resume' }).click();
  const now = async () => (await records(runs)).find(({ name }) => name === first.name);
  await until('the killed run goes on', async () => (await now())?.state === 'running');
  await treeRow(workbench, 'Checkpoints', first.name)
    .filter({ hasText: /epoch .* of 400/ })
    .waitFor();
  assert.notEqual((await now())?.process?.pid, first.process?.pid);
  await until('the other run finishes', async () => (await records(runs)).some(({ state }) => state === 'finished'));
  await runCommand(workbench, 'Fivecrop: Stop');
  await until('the run stops', async () => (await now())?.state === 'stopped');
  await treeRow(workbench, 'Checkpoints', first.name).filter({ hasText: 'stopped' }).waitFor();
}

async function trainWithFile(workbench: Workbench, file: string): Promise<void> {
  await openViewContainer(workbench, 'Explorer');
  await chooseInContextMenu(workbench, await explorerRow(workbench, file), 'Train with This File');
  await chooseQuickPick(workbench, /Start Training/);
}

async function records(runs: string): Promise<RunRecord[]> {
  const names = await readdir(runs).catch(() => []);
  const contents = await Promise.all(
    names.map((name) => readFile(join(runs, name, 'run.json'), 'utf8').catch(() => undefined)),
  );
  return contents.flatMap((content) => (content === undefined ? [] : runRecordSchema.parse(JSON.parse(content))));
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 100) {
    assert.ok(waited < 120_000, `waited two minutes: ${what}`);
    await delay(100);
  }
}

/** They outlive the window by design, so a scenario that failed has to end them. */
async function stopTrainers(runs: string): Promise<void> {
  for (const { process: owner, state } of await records(runs)) {
    if (owner === undefined || !['preparing', 'running', 'paused', 'stopping'].includes(state)) continue;
    try {
      process.kill(owner.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}
