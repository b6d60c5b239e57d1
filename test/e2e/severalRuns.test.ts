import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import type { TrainingConfigInput } from '../../src/protocol/trainingConfig.ts';
import { recordsIn } from './runs.ts';
import { stage } from './scenarios.ts';
import { until } from './until.ts';
import {
  chooseInContextMenu,
  chooseWhenStill,
  explorerRow,
  notification,
  openViewContainer,
  runCommand,
  runCommandOn,
  screenshot,
  startTraining,
  treeRow,
  webview,
  treeRows,
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

const scenario = stage({
  theme: 'dark',
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'flowers'), 0);
    // More than is ever seen: such a run is stopped.
    await writeFile(join(folder, 'long.fivecrop.json'), JSON.stringify({ ...config, epochs: 4000 }));
    await writeFile(join(folder, 'short.fivecrop.json'), JSON.stringify({ ...config, epochs: 1 }));
  },
});

scenario('a killed run is interrupted and resumed at a click; the run that waited begins meanwhile', async (here) => {
  const { workbench, folder } = here;
  await trainWithFile(workbench, 'long.fivecrop.json');
  await until('the run saves', async () => (await recordsIn(folder))[0]?.best !== undefined);
  const [first] = await recordsIn(folder);
  assert.ok(first);
  await trainWithFile(workbench, 'short.fivecrop.json');
  await chooseWhenStill(workbench, /Add to Queue/);
  await openViewContainer(workbench, 'Fivecrop');
  await treeRows(workbench, 'Checkpoints').filter({ hasText: 'queued' }).waitFor();
  await screenshot(workbench, 'queue');
  assert.equal((await recordsIn(folder)).length, 1, 'the second run waits');

  process.kill(first.process?.pid ?? NaN, 'SIGKILL');
  const toast = notification(workbench, 'was interrupted');
  await toast.waitFor();
  await treeRow(workbench, 'Checkpoints', first.name).filter({ hasText: 'interrupted' }).waitFor();
  await screenshot(workbench, 'broken-off');
  await until('the run that waited begins', async () => (await recordsIn(folder)).length === 2);

  await toast.getByRole('button', { name: 'Resume' }).click();
  const now = async () => (await recordsIn(folder)).find(({ name }) => name === first.name);
  await until('the killed run goes on', async () => (await now())?.state === 'running');
  const row = treeRow(workbench, 'Checkpoints', first.name);
  await row.filter({ hasText: /running · .*epoch .* of 4000/ }).waitFor();
  assert.notEqual((await now())?.process?.pid, first.process?.pid);
  await until('the other run finishes', async () =>
    (await recordsIn(folder)).some(({ state }) => state === 'finished'),
  );
  // It is the only one that trains, so nothing is asked.
  await runCommand(workbench, 'Fivecrop: Stop');
  await until('the run stops', async () => (await now())?.state === 'stopped');
  await row.filter({ hasText: 'stopped' }).waitFor();
});

scenario('two runs train beside each other, and one is stopped without the other', async ({ workbench, folder }) => {
  const before = new Set((await recordsIn(folder)).map(({ name }) => name));
  const fresh = async () => (await recordsIn(folder)).filter(({ name }) => !before.has(name));
  await trainWithFile(workbench, 'long.fivecrop.json');
  await until('the first runs', async () => (await fresh())[0]?.state === 'running');
  const [first] = await fresh();
  assert.ok(first);
  await trainWithFile(workbench, 'long.fivecrop.json');
  await chooseWhenStill(workbench, /Start Now/);
  await until('both run', async () => (await fresh()).filter(({ state }) => state === 'running').length === 2);
  const second = (await fresh()).find(({ name }) => name !== first.name);
  assert.ok(second);
  await openViewContainer(workbench, 'Fivecrop');
  for (const { name } of [first, second]) {
    await treeRow(workbench, 'Checkpoints', name)
      .filter({ hasText: /running · .*epoch .* of 4000/ })
      .waitFor();
  }
  const state = async (name: string) => (await fresh()).find((record) => record.name === name)?.state;
  await runCommandOn(workbench, 'Fivecrop: Stop', first.name);
  await until('the first stops', async () => (await state(first.name)) === 'stopped');
  assert.equal(await state(second.name), 'running');
  // The panel shows the second, and hears of a stop that comes from the tree.
  const shown = webview(workbench).locator('.state', { hasText: 'Running' });
  await shown.waitFor();
  // What the page says may last for a moment only.
  await shown.evaluate(`(() => {
    const state = document.querySelector('.state');
    globalThis.seen = [];
    new MutationObserver(() => seen.push(state.textContent)).observe(state, { childList: true, subtree: true });
  })()`);
  await chooseInContextMenu(workbench, treeRow(workbench, 'Checkpoints', second.name), 'Stop');
  await until('the second stops', async () => (await state(second.name)) === 'stopped');
  const ended = webview(workbench).locator('.state', { hasText: 'Stopped' });
  await ended.waitFor();
  const words = await ended.evaluate<string[], unknown>('seen');
  assert.match(words[0] ?? '', /Stopping…/, words.join(', '));
});

async function trainWithFile(workbench: Workbench, file: string): Promise<void> {
  await openViewContainer(workbench, 'Explorer');
  await chooseInContextMenu(workbench, await explorerRow(workbench, file), 'Train with This File');
  await startTraining(workbench);
}
