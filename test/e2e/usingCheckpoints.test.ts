import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { after } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Locator } from 'playwright-core';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { comparedInReport } from '../../src/protocol/study.ts';
import { givenConfigSchema, trainingConfigSchema } from '../../src/protocol/trainingConfig.ts';
import { evaluationPath, evaluationSchema, type Evaluation } from '../../src/protocol/evaluation.ts';
import { checkpointMetadataIn } from '../../src/runs/checkpointFiles.ts';
import { openStudy } from '../../src/runs/study.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';
import { writeRun } from '../unit/extension/storedRun.ts';
import { drawTinyDataset, tinyConfig } from '../unit/training/tinyDataset.ts';
import { recordOf } from './runs.ts';
import { stage } from './scenarios.ts';
import { createToolCaller } from './toolCaller.ts';
import { until } from './until.ts';
import {
  answerInput,
  chooseInContextMenu,
  chooseQuickPick,
  contextMenuOf,
  explorerRow,
  notification,
  openViewContainer,
  quickInput,
  quickPickRow,
  runCommand,
  runCommandOn,
  saveAs,
  screenshot,
  treeRow,
  treeRows,
  webview,
  type Workbench,
} from './workbench.ts';

const command = join(import.meta.dirname, '../../dist/ml/fivecrop.mjs');
const preload = pathToFileURL(join(import.meta.dirname, '../faults/slowSteps.mjs')).href;
const size = ['--image-size', '32', '--resize', '36'];
const network = ['--arch', 'ConvNet1', '--method', 'scratch', ...size, '--device', 'cpu'];
const looks = ['light', 'dark', 'highContrast'] as const;

const caller = await createToolCaller();
after(() => caller.remove());

const scenario = stage({
  theme: 'light',
  extensions: [caller.vsix],
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'flowers'), 0);
    const args = ['train', 'flowers', ...network, '--epochs', '2', '--name', 'small'];
    const { code, stderr } = await fivecrop(args, { cwd: folder });
    assert.equal(code, 0, stderr);
    const config = (await recordOf(join(folder, 'runs', 'small')))?.config;
    assert.ok(config);
    await writeRun(join(folder, 'runs'), 'early', { state: 'stopped', config: { ...config, epochs: 1 } });
    // Each of its 200 steps takes so many milliseconds, so that it is killed before its first checkpoint.
    await writeFile(join(folder, 'slow'), '1000');
    const slowly = { NODE_OPTIONS: `--import=${preload}`, FIVECROP_SLOW: join(folder, 'slow') };
    const { trainer, run } = train(folder, 'cut off', ['--batch-size', '1'], slowly);
    await until('the run has its folder', () => existsSync(run));
    trainer.kill('SIGKILL');
    await once(trainer, 'exit');
    await rm(join(folder, 'slow'));
    assert.deepEqual(await readdir(join(run, 'checkpoints')), []);
  },
});

/** A run of a shell, in a process that is the caller's to end. */
function train(
  folder: string,
  name: string,
  more: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): { trainer: ChildProcess; run: string } {
  const args = ['train', 'flowers', ...network, '--epochs', '4000', '--name', name, ...more];
  const trainer = spawn(process.execPath, [command, ...args], {
    cwd: folder,
    // What loads TypeScript for the test itself is not found from there.
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: 'ignore',
  });
  return { trainer, run: join(folder, 'runs', name) };
}

/** What needs a checkpoint, as the list calls it. */
const usesOfCheckpoint = [
  'Resume',
  'Classify with This Checkpoint...',
  'Test Checkpoint...',
  'Show Test Results',
  'Show Feature Map...',
  'Export Model...',
  'Serve Model...',
];

scenario('a run that ended before its first checkpoint can only start again, in its own folder', async (here) => {
  const { workbench, folder } = here;
  const finished = (name: string) =>
    until(`${name} finishes`, async () => (await recordOf(join(folder, 'runs', name)))?.state === 'finished');
  const before = await readdir(join(folder, 'runs'));
  await openViewContainer(workbench, 'Fivecrop');
  const row = treeRow(workbench, 'Checkpoints', 'early');
  const offered = await contextMenuOf(workbench, row);
  assert.ok(offered.includes('Start Again'));
  assert.deepEqual(
    offered.filter((entry) => usesOfCheckpoint.includes(entry)),
    [],
  );
  await chooseInContextMenu(workbench, row, 'Start Again');
  await finished('early');
  await row.getByText(/^finished · \d+\.\d %/).waitFor();
  const now = await contextMenuOf(workbench, row);
  assert.deepEqual(
    now.filter((entry) => [...usesOfCheckpoint, 'Start Again'].includes(entry)),
    usesOfCheckpoint,
  );

  await runCommandOn(workbench, 'Fivecrop: Show Run', 'cut off');
  const page = webview(workbench);
  await page.getByText('ended before its first checkpoint, so it can only start again').waitFor();
  const control = (name: string) => page.getByRole('button', { name, exact: true });
  for (const name of ['Resume', 'Test', 'Classify', 'Export']) assert.equal(await control(name).count(), 0, name);
  await screenshot(workbench, 'scenario-start-again', looks);
  await control('Start Again').click();
  await control('Stop').click();
  await control('Stop').waitFor({ state: 'hidden' });
  await until('it ends', async () => (await recordOf(join(folder, 'runs', 'cut off')))?.state === 'stopped');
  assert.deepEqual(await readdir(join(folder, 'runs')), before);
  await rm(join(folder, 'runs', 'cut off'), { recursive: true, maxRetries: 5 });
  await rm(join(folder, 'runs', 'early'), { recursive: true, maxRetries: 5 });
});

scenario('a checkpoint is tested with one crop and five; what the panel shows is kept beside it', async (here) => {
  const { workbench, folder } = here;
  await openViewContainer(workbench, 'Fivecrop');
  const row = treeRow(workbench, 'Checkpoints', 'small');
  await row.waitFor();
  await chooseInContextMenu(workbench, row, 'Test Checkpoint...');
  await chooseQuickPick(workbench, 'test');
  await chooseQuickPick(workbench, 'Center crop and five crops');
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

scenario('a model is served from its row until it is stopped in the status bar', async ({ workbench }) => {
  const { page } = workbench;
  await openViewContainer(workbench, 'Fivecrop');
  await chooseInContextMenu(workbench, treeRow(workbench, 'Checkpoints', 'small'), 'Serve Model...');
  const told = notification(workbench, /small, best classifies images at http:/);
  await told.waitFor();
  const [address = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec((await told.textContent()) ?? '') ?? [];
  assert.equal((await fetch(`${address}/health/ready`)).status, 200);
  await page.locator('.statusbar-item', { hasText: 'Serving small, best' }).click();
  await quickPickRow(workbench, 'Copy Address').waitFor();
  await screenshot(workbench, 'scenario-serve', looks);
  await chooseQuickPick(workbench, 'Stop Serving');
  await page.locator('.statusbar-item', { hasText: 'Serving small, best' }).waitFor({ state: 'hidden' });
  await assert.rejects(fetch(`${address}/health/ready`));
});

scenario('a checkpoint is exported to the ONNX file that the dialog names', async ({ workbench, folder }) => {
  await openViewContainer(workbench, 'Fivecrop');
  await chooseInContextMenu(workbench, treeRow(workbench, 'Checkpoints', 'small'), 'Export Model...');
  await chooseQuickPick(workbench, /^Images of any size$/);
  const file = join(folder, 'exported.onnx');
  await saveAs(workbench, file);
  await notification(workbench, /exported\.onnx runs in any ONNX Runtime.*16 test images/).waitFor();
  assert.ok(existsSync(file));
});

scenario('a checkpoint is exported to a new folder for TensorFlow.js', async ({ workbench, folder }) => {
  await openViewContainer(workbench, 'Fivecrop');
  await chooseInContextMenu(workbench, treeRow(workbench, 'Checkpoints', 'small'), 'Export Model...');
  await quickPickRow(workbench, 'Weights for torch (*.pth)').waitFor();
  await screenshot(workbench, 'scenario-export', looks);
  // The rows at the end of the list are drawn once it is filtered.
  await quickInput(workbench).locator('input').fill('TensorFlow');
  await chooseQuickPick(workbench, 'Folder for TensorFlow.js');
  await answerInput(workbench, 'in-browsers');
  await notification(workbench, /in-browsers is a folder for TensorFlow\.js.*16 test images/).waitFor();
  assert.ok((await readdir(join(folder, 'in-browsers'))).includes('proof.json'));
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
    const { trainer, run } = train(folder, 'killed');
    try {
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

      const last = await checkpointMetadataIn(join(run, 'checkpoints', 'last.safetensors'));
      assert.ok(last);
      await changeData(folder);
      const changed = ['--epochs', String(Math.ceil(last.training.epoch) + 1), '--schedule', 'cosine'];
      const { code, stderr } = await fivecrop(['train', '--resume', 'runs/killed', ...changed], { cwd: folder });
      assert.equal(code, 0, stderr);
      for (const warning of [
        /2 images came after the run began and are left out/,
        /Images of the run are gone and cannot be used: 1 of train/,
        /continues with other settings than before: epochs 4000 → \d+, schedule constant → cosine/,
      ]) {
        await webview(workbench).locator('.run-header .note').getByText(warning).waitFor();
      }
      await screenshot(workbench, 'scenario-resume-warnings', looks);

      // While its panel is open.
      await rm(run, { recursive: true, maxRetries: 5 });
      await row.waitFor({ state: 'detached' });
      await webview(workbench)
        .getByText(/This run is gone\. The Checkpoints view/)
        .waitFor();
      await treeRows(workbench, 'Checkpoints').filter({ hasText: 'small' }).waitFor();
    } finally {
      trainer.kill('SIGKILL');
    }
  },
);

/** One image comes, one goes, and a copy of one that was trained on lies among the test images. */
async function changeData(folder: string): Promise<void> {
  const [train, test] = [join(folder, 'flowers', 'train', '1'), join(folder, 'flowers', 'test', '1')];
  await cp(join(train, 'flower_01.jpg'), join(test, 'copy.jpg'));
  await cp(join(train, 'flower_02.jpg'), join(train, 'later.jpg'));
  await appendFile(join(train, 'later.jpg'), 'another');
  await rm(join(train, 'flower_03.jpg'));
}

scenario('how the images of a test were chosen stands above its figures', async ({ workbench }) => {
  await openViewContainer(workbench, 'Fivecrop');
  await chooseInContextMenu(workbench, treeRow(workbench, 'Checkpoints', 'small'), 'Test Checkpoint...');
  await chooseQuickPick(workbench, 'test');
  await chooseQuickPick(workbench, 'Center crop');
  await webview(workbench).getByText('Center crop: 1 image that the run trained on is left out of test.').waitFor();
  await screenshot(workbench, 'scenario-selection', looks);
});

scenario(
  'a study goes on: its runs train in turn, those that have ended stay, and its results open by themselves',
  async (here) => {
    const { workbench, folder } = here;
    const runs = join(folder, 'runs');
    const data = await drawTinyDataset(folder, 2, 1, 1);
    await writeRun(runs, 'tiny', { config: tinyConfig(data) });
    // The settings that the editor has without others. Networks that take long have ended or make room for other runs.
    const parts = comparedInReport.depths.map((label) => ({
      label,
      config: givenConfigSchema.parse({
        data,
        method: 'scratch',
        network: { kind: 'architecture', name: label },
        epochs: 1,
      }),
    }));
    await mkdir(join(runs, 'study-depths'));
    const { parts: planned } = await openStudy('depths', parts, { out: runs, name: 'study-depths' });
    const [finished, other] = [trainingConfigSchema.parse(planned[3]?.config), tinyConfig(data)];
    await writeRun(runs, 'study-depths-densenet169', { config: finished });
    await writeRun(runs, 'study-depths-ConvNet3', { config: other });
    await openViewContainer(workbench, 'Fivecrop');
    await treeRow(workbench, 'Checkpoints', 'tiny').waitFor();
    await runCommand(workbench, 'Fivecrop: Run a Study...');
    await chooseQuickPick(workbench, 'Depths');
    await chooseQuickPick(workbench, 'data');
    await quickInput(workbench)
      .getByText(/How many epochs/)
      .waitFor();
    await answerInput(workbench, '1');
    await webview(workbench).getByRole('heading', { name: 'Numbers of convolutional layers' }).waitFor();
    await screenshot(workbench, 'scenario-study');
    const results = await readFile(join(runs, 'study-depths', 'study.md'), 'utf8');
    assert.match(results, /3 classes, 6 images to train on, 3 for validation, 3 for testing\./u);
    assert.match(results, /McNemar’s exact test on 3 test images/u);
    assert.match(
      results,
      /\*\*ConvNet3\*\* is left out: .* holds another one: network name is ConvNet1 and not ConvNet3/u,
    );
    for (const label of ['ConvNet1', 'ConvNet2', 'densenet169']) {
      assert.equal((await recordOf(join(runs, `study-depths-${label}`)))?.state, 'finished');
      assert.ok(results.includes(`| study-depths-${label} |`), label);
    }
  },
);

scenario('a run is exported to the HTML page that the dialog names, without paths of folders', async (here) => {
  const { workbench, folder } = here;
  await openViewContainer(workbench, 'Fivecrop');
  const row = treeRow(workbench, 'Checkpoints', 'study-depths-ConvNet1');
  await chooseInContextMenu(workbench, row, 'Export Run as HTML Page...');
  const file = join(folder, 'exported.html');
  await saveAs(workbench, file);
  await notification(workbench, /exported\.html holds the run in one file/).waitFor();
  const page = await readFile(file, 'utf8');
  assert.match(page, /<h1>study-depths-ConvNet1<\/h1>/u);
  assert.ok(!page.includes(folder));
});

// Last, as its results open the panel.
scenario(
  'expectations are tests of the Test Explorer, and a failed one says what was found and leads to the wrong images',
  async (here) => {
    const { workbench, folder } = here;
    const { page } = workbench;
    const tests = [
      { name: 'flowers', checkpoint: 'runs/small', data: 'flowers', accuracy: 0.999, top5: 0 },
      { name: 'elsewhere', checkpoint: 'runs/gone', data: 'flowers', accuracy: 0.5 },
    ];
    await writeFile(join(folder, 'fivecrop.tests.json'), JSON.stringify({ version: 1, tests }, undefined, 2));
    await openViewContainer(workbench, 'Testing');
    const row = (list: string, label: string) => page.locator(`${list} .monaco-list-row`, { hasText: label }).first();
    await row('.test-explorer', 'fivecrop.tests.json').waitFor();
    await runCommand(workbench, 'Test: Run All Tests');
    const results = '.part.panel';
    await row(results, 'There is no checkpoint').waitFor();
    await row(results, 'Top-5 accuracy at least 0').waitFor();
    const unmet =
      /Expected accuracy at least 0\.999; found 0\.\d{4}\. Tested on \d+ images of flowers \(test, one crop\)/;
    await page.locator(`${results} .monaco-list-row`).getByText(unmet).first().click();
    await page.locator('a', { hasText: /Show the \d+ images/ }).click();
    const images = /Expected accuracy at least 0\.999; found 0\.\d+: \d+ images/;
    await webview(workbench).getByRole('heading', { name: images }).waitFor();
    await screenshot(workbench, 'scenario-tests', looks);
  },
);

scenario('a tool of the language models that writes asks in the editor, and does what was agreed to', async (here) => {
  const { workbench, folder } = here;
  const dialog = workbench.page.locator('.monaco-dialog-box');
  const file = join(folder, 'for-a-chat.onnx');
  const exporting = () =>
    caller.call(workbench, 'fivecrop_export_classifier', { run: 'small', out: 'for-a-chat.onnx' });
  const declined = await exporting();
  await dialog.getByText('Export Classifier').waitFor();
  await dialog.getByText('Export small to for-a-chat.onnx?').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.match((await declined.answer()).error ?? '', /Cancel/);
  assert.ok(!existsSync(file));
  const agreed = await exporting();
  await dialog.getByRole('button', { name: 'Yes' }).click();
  const { texts: [text = ''] = [], error } = await agreed.answer();
  assert.equal(error, undefined);
  const { out, verified } = JSON.parse(text) as { out: string; verified: boolean };
  assert.deepEqual([out, verified, existsSync(file)], ['for-a-chat.onnx', true, true]);
  const looking = { run: 'small', image: 'flowers/test/1/flower_51.jpg', picture: true };
  const explained = await caller.call(workbench, 'fivecrop_explain_image', looking);
  assert.deepEqual((await explained.answer()).pictures, ['image/jpeg']);
});
