import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';
import { recordsIn } from './runs.ts';
import { stage, type Stage } from './scenarios.ts';
import { until } from './until.ts';
import { quickInput, quickPickRow, runCommand, treeRow, webview, type Workbench } from './workbench.ts';

const network = ['--arch', 'ConvNet1', '--method', 'scratch', '--image-size', '32', '--resize', '36'];

const scenario = stage({
  theme: 'dark',
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'flowers'), 0);
    await mkdir(join(folder, 'exports'));
    const args = ['train', 'flowers', ...network, '--device', 'cpu', '--epochs', '1', '--name', 'small'];
    const { code, stderr } = await fivecrop(args, { cwd: folder });
    assert.equal(code, 0, stderr);
  },
});

scenario('without a mouse a run is begun at a learning rate that was found, watched and stopped', async (here) => {
  const { workbench, folder } = here;
  await palette(workbench, 'Fivecrop: Train Model...');
  await answerList(workbench, 'flowers');
  await answerList(workbench, 'ConvNet1');
  await answerLine(workbench, /How many epochs/, '4000');
  await answerLine(workbench, /How many images per step/, '8');
  await answerList(workbench, 'Find Learning Rate');
  const use = await webview(workbench).locator('vscode-button', { hasText: /^Use / }).first().innerText();
  await tabTo(here, use);
  await workbench.page.keyboard.press('Enter');
  await answerList(workbench, 'Start Training');
  const record = async () => (await recordsIn(folder)).find(({ name }) => name !== 'small');
  const state = async () => (await record())?.state;
  await until('the run trains', async () => (await state()) === 'running');
  assert.equal((await record())?.config.learningRate, Number(use.replace('Use ', '')));
  await tabTo(here, 'Stop');
  await workbench.page.keyboard.press('Enter');
  await until('the run has stopped', async () => (await state()) === 'stopped');
});

scenario('without a mouse a checkpoint is found in the tree and tested', async ({ workbench }) => {
  const { page } = workbench;
  await until('the tree has the focus', async () => {
    // The editor gives it to no view that is still empty, as one is the first time.
    await palette(workbench, 'Fivecrop: Focus on Checkpoints View');
    await treeRow(workbench, 'Checkpoints', 'small').waitFor();
    return (await page.locator('.pane .monaco-list:focus').count()) > 0;
  });
  await walkTo(workbench, treeRow(workbench, 'Checkpoints', 'small'));
  await page.keyboard.press('ArrowRight');
  await treeRow(workbench, 'Checkpoints', 'best').waitFor();
  await walkTo(workbench, treeRow(workbench, 'Checkpoints', 'best'));
  await page.keyboard.press('Shift+F10');
  const entry = page.locator('.context-view .monaco-menu .action-item.focused', { hasText: 'Test Checkpoint...' });
  await until('the menu offers the test', async () => {
    await page.keyboard.press('ArrowDown');
    return entry.isVisible();
  });
  await page.keyboard.press('Enter');
  await answerList(workbench, 'test');
  await answerList(workbench, 'Center crop and five crops');
  await webview(workbench).getByText('50 images').first().waitFor();
});

function palette(workbench: Workbench, title: string): Promise<void> {
  return runCommand(workbench, title, (row) => enter(workbench, row));
}

/** Types into the open list until the wanted row is there, and takes it. */
async function answerList(workbench: Workbench, label: string): Promise<void> {
  await quickInput(workbench).locator('input:focus').waitFor();
  await workbench.page.keyboard.type(label);
  const row = quickPickRow(workbench, label);
  await row.waitFor();
  await enter(workbench, row);
}

/** Walks to a row of the open list and presses Enter. */
async function enter(workbench: Workbench, row: Locator): Promise<void> {
  await walkTo(workbench, row);
  await workbench.page.keyboard.press('Enter');
  await row.waitFor({ state: 'hidden' });
}

async function answerLine(workbench: Workbench, question: RegExp, answer: string): Promise<void> {
  const { keyboard } = workbench.page;
  await quickInput(workbench).getByText(question).waitFor();
  await keyboard.press('Control+A');
  await keyboard.type(answer);
  await keyboard.press('Enter');
}

/** Walks down the list or tree that has the focus. */
async function walkTo({ page }: Workbench, row: Locator): Promise<void> {
  const focused = row.and(page.locator('.focused'));
  await until('the row has the focus', async () => {
    if ((await focused.count()) > 0) return true;
    await page.keyboard.press('ArrowDown');
    return (await focused.count()) > 0;
  });
}

async function tabTo({ workbench }: Stage, name: string): Promise<void> {
  const button = webview(workbench)
    .getByRole('button', { name, exact: true })
    .and(webview(workbench).locator(':focus-within'));
  await until(`${name} has the focus`, async () => {
    if ((await button.count()) > 0) return true;
    await workbench.page.keyboard.press('Tab');
    return (await button.count()) > 0;
  });
}
