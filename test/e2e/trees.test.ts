import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Locator } from 'playwright-core';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { birthOf, thisProcess } from '../../src/runs/owner.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';
import { recordOf } from './runs.ts';
import { stage } from './scenarios.ts';
import { until } from './until.ts';
import {
  answerInput,
  chooseInContextMenu,
  chooseQuickPick,
  openViewContainer,
  quickInput,
  quickPickRow,
  runCommand,
  screenshot,
  succeeds,
  treeRow,
  treeRows,
  webview,
  type Workbench,
} from './workbench.ts';

const looks = ['light', 'dark', 'highContrast', 'highContrastLight'] as const;
const settings = {
  data: 'flowers',
  network: { kind: 'architecture', name: 'ConvNet1' },
  method: 'scratch',
  epochs: 1,
  imageSize: 32,
  resize: 36,
  device: 'cpu',
};
/** Copies of the run `sgd`, newest first, as the tree lists them. */
const copies = ['ConvNet1-scratch', 'ConvNet1-scratch-2', 'older', 'oldest'] as const;

const scenario = stage({
  theme: 'dark',
  // The sidebar has to have room for what stands beside a name.
  viewport: { width: 1280, height: 900 },
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'flowers'), 0);
    await drawSampleDataset(join(folder, 'more flowers'), 1);
    await writeFile(join(folder, 'sgd.fivecrop.json'), JSON.stringify(settings));
    const { code, stderr } = await fivecrop(['train', '--config', 'sgd.fivecrop.json'], { cwd: folder });
    assert.equal(code, 0, stderr);
    for (const [age, name] of copies.entries())
      await copyRun(folder, name, { created: `2026-0${5 - age}-01T10:00:00Z` });
  },
});

async function copyRun(folder: string, name: string, changes: object): Promise<string> {
  const run = join(folder, 'runs', name);
  await cp(join(folder, 'runs', 'sgd'), run, { recursive: true });
  const record = JSON.parse(await readFile(join(run, 'run.json'), 'utf8')) as object;
  await writeFile(join(run, 'run.json'), JSON.stringify({ ...record, name, ...changes }));
  return run;
}

scenario('a row says what its run is called, its state, accuracy and epoch; the day is in its hover', async (here) => {
  const { workbench } = here;
  await openViewContainer(workbench, 'Fivecrop');
  for (const name of ['sgd', 'ConvNet1 scratch', 'ConvNet1 scratch 2']) {
    await runRow(workbench, name)
      .getByText(/finished · \d+\.\d % · epoch 1 of 1/)
      .waitFor();
  }
  await hover(workbench, runRow(workbench, 'ConvNet1 scratch'), /Started\s*\S*2026/);
  await screenshot(workbench, 'tree-hover');
});

scenario('a click on a run and Enter open its panel, and the tree keeps the keys', async ({ workbench }) => {
  const { page } = workbench;
  await openViewContainer(workbench, 'Fivecrop');
  await runRow(workbench, 'older').click();
  await webview(workbench).getByRole('heading', { level: 1, name: 'older' }).waitFor();
  await tab(workbench, 'older').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await webview(workbench).getByRole('heading', { level: 1, name: 'oldest' }).waitFor();
  assert.equal(await runRow(workbench, 'oldest').getAttribute('aria-expanded'), 'false');
});

scenario('F2 renames the run with the focus, and its panel goes by the new name', async ({ workbench, folder }) => {
  const { page } = workbench;
  await openViewContainer(workbench, 'Fivecrop');
  await runRow(workbench, 'oldest').click();
  await tab(workbench, 'oldest').waitFor();
  // The focus moves, the selection stays.
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('F2');
  await quickInput(workbench).getByText('Rename older').waitFor();
  await page.keyboard.press('Escape');
  await quickInput(workbench).waitFor({ state: 'hidden' });
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('F2');
  await quickInput(workbench).getByText('Rename oldest').waitFor();
  await answerInput(workbench, 'first try');
  await runRow(workbench, 'first try').waitFor();
  await tab(workbench, 'first try').waitFor();
  assert.ok(existsSync(join(folder, 'runs', 'first try', 'run.json')));
});

scenario('selected runs are compared', async ({ workbench }) => {
  await openViewContainer(workbench, 'Fivecrop');
  await runRow(workbench, 'sgd').click();
  await runRow(workbench, 'ConvNet1 scratch').click({ modifiers: ['ControlOrMeta'] });
  await chooseInContextMenu(workbench, runRow(workbench, 'ConvNet1 scratch'), 'Compare Selected');
  const compared = webview(workbench).locator('table.comparison thead');
  await compared.getByText('sgd').waitFor();
  await compared.getByText('ConvNet1 scratch', { exact: true }).waitFor();
  await screenshot(workbench, 'compared', looks);
});

scenario('Delete asks once for all selected runs, and once more where there is no Trash', async (here) => {
  const { workbench, folder } = here;
  const { page } = workbench;
  const doomed = ['doomed 1', 'doomed 2', 'doomed 3'];
  for (const name of doomed) await copyRun(folder, name, {});
  await openViewContainer(workbench, 'Fivecrop');
  for (const name of doomed) await runRow(workbench, name).waitFor();
  await runRow(workbench, 'doomed 1').click();
  await runRow(workbench, 'doomed 3').click({ modifiers: ['Shift'] });
  await page.keyboard.press('Delete');
  const dialog = page.locator('.monaco-dialog-box');
  await dialog.getByText('Delete 3 runs?').waitFor();
  await dialog.getByText('Moved to the Trash if available.').waitFor();
  await screenshot(workbench, 'delete');
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  // The disk of a remote window has no Trash, or has.
  const forGood = dialog.getByRole('button', { name: 'Delete Permanently' });
  const gone = () => doomed.every((name) => !existsSync(join(folder, 'runs', name)));
  await until('the second question, or nothing left', async () => gone() || (await forGood.isVisible()));
  if (!gone()) await forGood.click();
  await until('the runs are gone', gone);
  await runRow(workbench, 'doomed 1').waitFor({ state: 'detached' });
  assert.ok(existsSync(join(folder, 'runs', 'sgd')), 'the others stay');
});

scenario(
  'a run that is dragged into the editor area opens the settings that its panel and its menu show',
  async (here) => {
    const { workbench } = here;
    const { page } = workbench;
    await openViewContainer(workbench, 'Fivecrop');
    // Again where the editor area was not ready to take it.
    await until('the settings are open', async () => {
      await dragToEditor(workbench, runRow(workbench, 'sgd'));
      return succeeds(tab(workbench, 'sgd.fivecrop.json').waitFor({ timeout: 5000 }));
    });
    await page.locator('.view-lines', { hasText: '"imageSize": 32' }).waitFor();
    await screenshot(workbench, 'configuration', looks);
    await page.locator('.editor-actions a[aria-label^="Train with This"]').click();
    await quickInput(workbench).getByText('Train Again with the Settings of sgd').waitFor();
    await quickPickRow(workbench, /Start Training/).waitFor();
    await page.keyboard.press('Escape');

    await runRow(workbench, 'sgd').click();
    await webview(workbench).getByRole('button', { name: 'Configuration' }).click();
    await page.locator('.tab.active', { hasText: 'sgd.fivecrop.json' }).waitFor();
    await chooseInContextMenu(workbench, runRow(workbench, 'sgd'), 'Show Configuration');
    assert.equal(await tab(workbench, 'sgd.fivecrop.json').count(), 1, 'it is the same document');
  },
);

scenario('a run that is stopping is offered Stop Now, which ends it', async ({ workbench, folder }) => {
  const trainer = spawn(process.execPath, ['-e', 'for (;;);'], { env: {}, stdio: 'ignore' });
  try {
    const birth = birthOf(trainer.pid ?? 0);
    const owner = { ...thisProcess(), pid: trainer.pid, started: new Date().toISOString(), birth };
    const run = await copyRun(folder, 'busy', { state: 'stopping', process: owner });
    await openViewContainer(workbench, 'Fivecrop');
    await runRow(workbench, 'busy')
      .getByText(/^stopping/)
      .waitFor();
    await runRow(workbench, 'busy').click({ button: 'right' });
    const menu = workbench.page.locator('.context-view .monaco-menu');
    await menu.getByText('Stop Now', { exact: true }).waitFor();
    assert.equal(await menu.getByText('Stop', { exact: true }).count(), 0);
    await workbench.page.keyboard.press('Escape');
    await chooseInContextMenu(workbench, runRow(workbench, 'busy'), 'Stop Now');
    await until('it has stopped', async () => (await recordOf(run))?.state === 'stopped');
    await runRow(workbench, 'busy')
      .getByText(/^stopped/)
      .waitFor();
  } finally {
    trainer.kill('SIGKILL');
  }
});

scenario('data shows its images in hovers and what is in it in a document; a folder is added', async (here) => {
  const { workbench, folder } = here;
  const { page } = workbench;
  await openViewContainer(workbench, 'Fivecrop');
  for (const label of ['flowers', 'test']) await expand(workbench, label);
  const classRow = treeRows(workbench, 'Data').nth(4);
  await classRow.waitFor();
  await hover(workbench, classRow, /test/);
  const drawn = `[...document.querySelectorAll('.workbench-hover img')].filter((image) => image.naturalWidth > 0).length`;
  await until('four pictures are drawn', async () => (await page.evaluate<number>(drawn)) === 4);
  await screenshot(workbench, 'thumbnails');
  await chooseInContextMenu(workbench, treeRow(workbench, 'Data', 'flowers'), 'Show What Is in the Data');
  await webview(workbench).getByRole('heading', { level: 2, name: 'Classes' }).waitFor();

  await page.locator('.pane-header', { hasText: 'Data' }).hover();
  await page.locator('.pane-header a[aria-label^="Add Folder"]').click();
  const dialog = quickInput(workbench);
  const path = dialog.locator('input').and(page.locator(':focus'));
  const row = treeRow(workbench, 'Data', 'more flowers');
  // With the slash the dialog goes into the folder. Until it has read the one that it begins with, it writes its own path
  // over what was typed.
  const typed = `${join(folder, 'more flowers')}/`;
  const add = async () => {
    await path.fill(typed, { timeout: 3000 });
    await dialog.locator('.monaco-list-row', { hasText: 'valid' }).waitFor({ timeout: 3000 });
    if ((await path.inputValue({ timeout: 3000 })) !== typed) return;
    await dialog.getByText('Add', { exact: true }).click({ timeout: 3000 });
    await row.waitFor({ timeout: 5000 });
  };
  await until('the folder is added', async () => {
    if (!(await row.isVisible())) await add().catch(() => undefined);
    return row.isVisible();
  });
});

scenario('the walkthrough has ticked what is done: data is here and a run was trained', async ({ workbench }) => {
  const { page } = workbench;
  await runCommand(workbench, 'Welcome: Open Walkthrough...');
  await chooseQuickPick(workbench, /Train an image classifier/);
  const step = (title: string) => page.locator('.getting-started-step', { hasText: title });
  const ticked = page.locator('.codicon-getting-started-step-checked');
  for (const title of ['Get something to train on', 'Train a network'])
    await step(title).filter({ has: ticked }).waitFor();
  await step('Test it').click();
  await screenshot(workbench, 'walkthrough');
  for (const title of ['Classify an image', 'Test it'])
    assert.equal(await step(title).filter({ has: ticked }).count(), 0);
});

/** Points at a row until its hover says something: the editor shows none for a pointer that was there before the row. */
async function hover({ page }: Workbench, row: Locator, text: RegExp): Promise<void> {
  const shown = page.locator('.workbench-hover', { hasText: text });
  await until('the hover is shown', async () => {
    await page.mouse.move(600, 300);
    await row.locator('.label-name').hover();
    return succeeds(shown.waitFor({ timeout: 5000 }));
  });
}

function runRow(workbench: Workbench, name: string): Locator {
  return treeRow(workbench, 'Checkpoints', name);
}

function tab({ page }: Workbench, label: string): Locator {
  return page.locator(`.tab[data-resource-name="${label}"], .tab[aria-label^="${label}"]`);
}

async function expand(workbench: Workbench, label: string): Promise<void> {
  const row = treeRow(workbench, 'Data', label);
  await row.waitFor();
  if ((await row.getAttribute('aria-expanded')) !== 'true') await row.click();
}

/** Drags a row to the middle of the editor area. */
async function dragToEditor({ page }: Workbench, row: Locator): Promise<void> {
  const from = await row.boundingBox();
  const to = await page.locator('.part.editor').boundingBox();
  assert.ok(from && to);
  await page.mouse.move(from.x + 60, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(from.x + 90, from.y + 40, { steps: 5 });
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 10 });
  await page.mouse.move(to.x + to.width / 2 + 5, to.y + to.height / 2 + 5, { steps: 3 });
  await page.waitForTimeout(300);
  await page.mouse.up();
}
