import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Locator } from 'playwright-core';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { evaluationPath, evaluationSchema, type Evaluation } from '../../src/protocol/evaluation.ts';
import { fivecrop } from '../unit/cli/runCommand.ts';
import { stage } from './scenarios.ts';
import { until } from './until.ts';
import {
  chooseInContextMenu,
  chooseQuickPick,
  explorerRow,
  notification,
  openViewContainer,
  quickInput,
  saveAs,
  screenshot,
  treeRow,
  treeRows,
  webview,
  type Workbench,
} from './workbench.ts';

const main = join(import.meta.dirname, '../../src/ml/cli/main.ts');
const size = ['--image-size', '32', '--resize', '36'];
const network = ['--arch', 'ConvNet1', '--method', 'scratch', ...size, '--device', 'cpu'];
const looks = ['light', 'dark', 'highContrast'] as const;

const scenario = stage({
  theme: 'light',
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'flowers'), 0);
    const args = ['train', 'flowers', ...network, '--epochs', '2', '--name', 'small'];
    const { code, stderr } = await fivecrop(args, { cwd: folder });
    assert.equal(code, 0, stderr);
  },
});

scenario('a checkpoint is tested with one crop and five; what the panel shows is kept beside it', async (here) => {
  const { workbench, folder } = here;
  await openViewContainer(workbench, 'Fivecrop');
  const row = treeRow(workbench, 'Checkpoints', 'small');
  await row.waitFor();
  await chooseInContextMenu(workbench, row, 'Test Checkpoint...');
  await chooseQuickPick(workbench, 'test');
  await chooseQuickPick(workbench, 'Centre crop and five crops');
  for (const crops of [1, 5] as const) {
    const { accuracy, loss, images } = await keptEvaluation(folder, crops);
    assert.equal(images, 50);
    const card = webview(workbench)
      .locator('article, section')
      .filter({ hasText: loss.toFixed(4) });
    await card
      .getByText(`${(accuracy * 100).toFixed(2)} %`)
      .first()
      .waitFor();
  }
  await screenshot(workbench, 'scenario-test', looks);
});

async function keptEvaluation(folder: string, cropCount: 1 | 5): Promise<Evaluation> {
  const checkpoint = join(folder, 'runs', 'small', 'checkpoints', 'best.safetensors');
  const file = evaluationPath({ checkpoint, data: join(folder, 'flowers'), split: 'test', cropCount });
  await until(`${file} is written`, () => existsSync(file));
  return evaluationSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

scenario('a checkpoint is exported to the ONNX file that the dialog names', async ({ workbench, folder }) => {
  await openViewContainer(workbench, 'Fivecrop');
  await chooseInContextMenu(workbench, treeRow(workbench, 'Checkpoints', 'small'), 'Export to ONNX...');
  const file = join(folder, 'exported.onnx');
  await saveAs(workbench, file);
  await notification(workbench, /exported\.onnx runs in any ONNX Runtime/).waitFor();
  assert.ok(existsSync(file));
});

scenario(
  'an open image is classified from its editor’s title, another is dropped on the panel, and both are exported',
  async ({ workbench, folder }) => {
    await openViewContainer(workbench, 'Explorer');
    await (await explorerRow(workbench, 'flowers/test/1/flower_51.jpg')).dblclick();
    await workbench.page.locator('.editor-actions a[aria-label^="Classify Image"]').click();
    await webview(workbench).locator('article.crop').nth(4).waitFor();

    await dropOnPage(workbench, await explorerRow(workbench, 'flowers/test/1/flower_52.jpg'));
    await webview(workbench)
      .getByText(/2 images/)
      .first()
      .waitFor();
    await screenshot(workbench, 'scenario-dropped');

    const file = join(folder, 'both.csv');
    await webview(workbench).getByRole('button', { name: 'CSV', exact: true }).click();
    await saveAs(workbench, file);
    await notification(workbench, `Saved ${file}.`).first().waitFor();
    const [heading = '', ...rows] = (await readFile(file, 'utf8')).trim().split(/\r?\n/);
    assert.match(heading, /^image,class1,/);
    const images = rows.map((row) => /flower_\d+\.jpg/.exec(row)?.[0]);
    assert.deepEqual(images, ['flower_51.jpg', 'flower_52.jpg']);
  },
);

/** Drags a row of the explorer onto the page; Shift, once it is on its way, hands it to the page. */
async function dropOnPage({ page }: Workbench, row: Locator): Promise<void> {
  const from = await row.boundingBox();
  const to = await page.locator('iframe.webview.ready').first().boundingBox();
  assert.ok(from && to);
  await page.mouse.move(from.x + 60, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(from.x + 90, from.y + 40, { steps: 5 });
  await page.keyboard.down('Shift');
  const center = { x: to.x + to.width / 2, y: to.y + to.height / 2 };
  // The editor lifts what it laid over the page when a movement tells it of Shift.
  await until('the page can be dropped on', async () => {
    await page.mouse.move(center.x + 20, center.y + 20, { steps: 4 });
    await page.mouse.move(center.x, center.y, { steps: 4 });
    return page.evaluate<boolean>(`document.elementFromPoint(${center.x}, ${center.y}).matches('iframe.webview')`);
  });
  await page.mouse.up();
  await page.keyboard.up('Shift');
}

scenario('a folder of 200 images is classified into one list', async ({ workbench }) => {
  await openViewContainer(workbench, 'Explorer');
  await chooseInContextMenu(workbench, await explorerRow(workbench, 'flowers/train'), 'Classify Image');
  await webview(workbench)
    .getByText(/200 images/)
    .first()
    .waitFor();
  await screenshot(workbench, 'scenario-many', looks);
});

scenario('the context menu of an image has what can be done with it, and not Cut, Copy and Paste', async (here) => {
  const { workbench } = here;
  await openViewContainer(workbench, 'Explorer');
  await chooseInContextMenu(workbench, await explorerRow(workbench, 'flowers/test/1'), 'Classify Image');
  const page = webview(workbench);
  await page
    .locator('.counted')
    .getByText(/^10 images/)
    .waitFor();
  await page.locator('.list-row').nth(1).click({ button: 'right' });
  const menu = workbench.page.locator('.context-view .monaco-menu');
  const remove = menu.locator('.action-item', { hasText: 'Remove from List' });
  await remove.waitFor();
  const labels = (await menu.locator('.action-label').allTextContents()).filter((label) => label !== '');
  assert.deepEqual(labels, ['Open', 'Reveal in Explorer View', 'Classify With...', 'Copy Path', 'Remove from List']);
  // For a tenth of a second a menu takes a click for the end of the right click.
  await workbench.page.waitForTimeout(300);
  await remove.click();
  await page
    .locator('.counted')
    .getByText(/^9 images/)
    .waitFor();
  await page.locator('.list').focus();
  await workbench.page.keyboard.press('Shift+F10');
  await remove.waitFor();
  await workbench.page.keyboard.press('Escape');
});

scenario(
  'a run of a shell whose trainer is killed is interrupted, and goes from the list with its folder',
  async (here) => {
    const { workbench, folder } = here;
    const args = ['--import', import.meta.resolve('tsx'), main, 'train', 'flowers', ...network];
    const trainer = spawn(process.execPath, [...args, '--epochs', '4000', '--name', 'killed'], {
      cwd: folder,
      // What loads TypeScript for the test itself is not found from there.
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: 'ignore',
    });
    try {
      const run = join(folder, 'runs', 'killed');
      await until('the first checkpoint is saved', () => existsSync(join(run, 'checkpoints', 'last.safetensors')));
      await openViewContainer(workbench, 'Fivecrop');
      const row = treeRow(workbench, 'Checkpoints', 'killed');
      await row.getByText(/epoch .* of 4000/).waitFor();
      await chooseInContextMenu(workbench, row, 'Show Run');
      await webview(workbench).getByRole('button', { name: 'Stop', exact: true }).waitFor();
      trainer.kill('SIGKILL');
      await once(trainer, 'exit');
      await row.getByText(/interrupted/).waitFor();
      await webview(workbench).getByRole('button', { name: 'Resume', exact: true }).waitFor();
      await screenshot(workbench, 'scenario-broken-off');
      assert.equal(await quickInput(workbench).isVisible(), false);

      // While its panel is open.
      await rm(run, { recursive: true, maxRetries: 5 });
      await row.waitFor({ state: 'detached' });
      await webview(workbench)
        .getByText(/The run that was shown here is gone/)
        .waitFor();
      await treeRows(workbench, 'Checkpoints').filter({ hasText: 'small' }).waitFor();
    } finally {
      trainer.kill('SIGKILL');
    }
  },
);
