import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { evaluationPath, evaluationSchema, type Evaluation } from '../../src/protocol/evaluation.ts';
import { fivecrop } from '../unit/cli/runCommand.ts';
import { stage, until } from './scenarios.ts';
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
  const file = evaluationPath({ checkpoint, split: 'test', cropCount });
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

scenario('a folder of 200 images is classified into one list', async ({ workbench }) => {
  await openViewContainer(workbench, 'Explorer');
  await chooseInContextMenu(workbench, await explorerRow(workbench, 'flowers/train'), 'Classify Image');
  await webview(workbench)
    .getByText(/200 images/)
    .first()
    .waitFor();
  await screenshot(workbench, 'scenario-many', looks);
});

scenario(
  'a run of a shell whose trainer is killed is broken off, and goes from the list with its folder',
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
      await row.getByText(/broken off/).waitFor();
      await webview(workbench).getByRole('button', { name: 'Resume', exact: true }).waitFor();
      await screenshot(workbench, 'scenario-broken-off');
      assert.equal(await quickInput(workbench).isVisible(), false);

      // While its panel is open.
      await rm(run, { recursive: true, maxRetries: 5 });
      await row.waitFor({ state: 'detached' });
      await treeRows(workbench, 'Checkpoints').filter({ hasText: 'small' }).waitFor();
    } finally {
      trainer.kill('SIGKILL');
    }
  },
);
