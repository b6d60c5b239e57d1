import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../../src/extension/trainer/findProgram.ts';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { stage } from './scenarios.ts';
import { until } from './until.ts';
import {
  answerInput,
  chooseInContextMenu,
  chooseUntilTaken,
  chooseWhenStill,
  openViewContainer,
  quickInput,
  runCommand,
  treeRow,
  treeRows,
  webview,
} from './workbench.ts';

const scenario = stage({
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'flowers'), 0);
  },
});

scenario(
  'a sweep is asked for, followed in its page and its row, and leads to its runs',
  async ({ workbench, folder }) => {
    const name = 'sweep-ConvNet1-scratch';
    await openViewContainer(workbench, 'Fivecrop');
    await runCommand(workbench, 'Fivecrop: New Sweep...');
    await chooseWhenStill(workbench, /flowers/);
    await quickInput(workbench).getByPlaceholder('Which network?').fill('ConvNet1');
    await chooseUntilTaken(workbench, 'ConvNet1');
    for (const [prompt, answer] of [
      [/How many epochs/, '1'],
      [/How many images per step/, '32'],
    ] as const) {
      await quickInput(workbench).getByText(prompt).waitFor();
      await answerInput(workbench, answer);
    }
    // The questions of the sweep count on from those of the training.
    const places: string[] = [];
    const place = async () =>
      places.push((await quickInput(workbench).locator('.quick-input-title').textContent()) ?? '');
    await quickInput(workbench).getByPlaceholder('Which settings to vary?').waitFor();
    await place();
    await workbench.page.keyboard.press('Enter');
    await chooseWhenStill(workbench, 'Random');
    await quickInput(workbench)
      .getByText(/How many trials\?/)
      .waitFor();
    await place();
    await answerInput(workbench, '2');
    if (findProgram('sbatch') !== undefined) await chooseWhenStill(workbench, 'This Machine');
    await quickInput(workbench)
      .getByText(/How many trials train at the same time/)
      .waitFor();
    await place();
    await answerInput(workbench, '1');
    await quickInput(workbench).getByPlaceholder('Start the sweep, or edit its space').waitFor();
    await place();
    const last = findProgram('sbatch') === undefined ? 9 : 10;
    assert.deepEqual(
      places.map((text) => /\((\d+\/\d+)\)/u.exec(text)?.[1]),
      [5, 7, last - 1, last].map((step) => `${step}/${last}`),
    );
    await chooseWhenStill(workbench, /Start Sweep/);

    const page = webview(workbench);
    await page.getByText('Finished · 2 of 2 trials').waitFor();
    await page.locator('body', { hasText: /Best: Trial \d: \d+\.\d\s% after 1 epoch; learning rate/ }).waitFor();
    const row = treeRow(workbench, 'Checkpoints', name);
    await row.filter({ hasText: 'finished' }).waitFor();
    assert.equal(await treeRows(workbench, 'Checkpoints').count(), 1, 'the runs of trials stand below their sweep');
    await page.getByText('sweep-ConvNet1-scratch-2', { exact: true }).click();
    await workbench.page.locator('.tab', { hasText: /scratch.2/ }).waitFor();

    await chooseInContextMenu(workbench, row, 'Delete');
    const dialog = workbench.page.locator('.monaco-dialog-box');
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    const forGood = dialog.getByRole('button', { name: 'Delete Permanently' });
    const gone = async () => (await readdir(join(folder, 'runs'))).every((entry) => !entry.startsWith('sweep-'));
    await until('the second question, or nothing left', async () => (await gone()) || (await forGood.isVisible()));
    if (!(await gone())) await forGood.click();
    await until('the sweep is gone, with its runs', gone);
  },
);
