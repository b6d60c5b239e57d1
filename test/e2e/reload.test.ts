import assert from 'node:assert/strict';
import { join } from 'node:path';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';
import { stage } from './scenarios.ts';
import {
  chooseInContextMenu,
  explorerRow,
  noteEditors,
  openViewContainer,
  reloadWindow,
  webview,
  type Workbench,
} from './workbench.ts';

const network = ['--arch', 'ConvNet1', '--method', 'scratch', '--image-size', '32', '--resize', '36'];

const scenario = stage({
  theme: 'dark',
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'flowers'), 0);
    const args = ['train', 'flowers', ...network, '--device', 'cpu', '--epochs', '1', '--name', 'small'];
    const { code, stderr } = await fivecrop(args, { cwd: folder });
    assert.equal(code, 0, stderr);
  },
});

scenario('after a reload no second panel opens beside one that is hidden behind another editor', async (here) => {
  const { workbench } = here;
  await classify(workbench, 'flowers/test/1/flower_51.jpg');
  await openViewContainer(workbench, 'Explorer');
  await (await explorerRow(workbench, 'flowers/cat_to_name.json')).dblclick();
  await workbench.page.locator('.view-lines').first().waitFor();
  assert.equal(await tabs(workbench), 1);
  await noteEditors(workbench, /cat_to_name\.json/);
  await reloadWindow(workbench);
  await workbench.page.locator('.tab', { hasText: 'Classification' }).waitFor();
  await classify(workbench, 'flowers/test/2/flower_51.jpg');
  assert.equal(await tabs(workbench), 1, 'one panel, old or new');
});

async function classify(workbench: Workbench, image: string): Promise<void> {
  await openViewContainer(workbench, 'Explorer');
  await chooseInContextMenu(workbench, await explorerRow(workbench, image), 'Classify Image');
  await webview(workbench).locator('article.crop').nth(4).waitFor();
}

function tabs({ page }: Workbench): Promise<number> {
  return page.locator('.tab', { hasText: 'Classification' }).count();
}
