import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { removeFolder } from '../../scripts/host/codeServer.ts';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { evaluationPath, evaluationSchema, type Evaluation } from '../../src/protocol/evaluation.ts';
import { fivecrop } from '../unit/cli/runCommand.ts';
import {
  chooseInContextMenu,
  chooseQuickPick,
  explorerRow,
  openViewContainer,
  quickInput,
  screenshot,
  skipReason,
  treeRow,
  webview,
  withWorkbench,
} from './workbench.ts';

const main = join(import.meta.dirname, '../../src/ml/cli/main.ts');
const network = [
  '--arch',
  'ConvNet1',
  '--method',
  'scratch',
  '--image-size',
  '32',
  '--resize',
  '36',
  '--device',
  'cpu',
];

let folder = '';
before(async () => {
  if (skipReason !== false) return;
  folder = await mkdtemp(join(tmpdir(), 'fivecrop-using-'));
  await drawSampleDataset(join(folder, 'flowers'), 0);
  const { code, stderr } = await fivecrop(['train', 'flowers', ...network, '--epochs', '2', '--name', 'small'], {
    cwd: folder,
  });
  assert.equal(code, 0, stderr);
});
after(async () => {
  if (folder !== '') await removeFolder(folder);
});

const checkpoint = () => join(folder, 'runs', 'small', 'checkpoints', 'best.safetensors');

async function keptEvaluation(cropCount: 1 | 5): Promise<Evaluation> {
  const file = evaluationPath({ checkpoint: checkpoint(), split: 'test', cropCount });
  await until(() => existsSync(file), `${file} is written`);
  return evaluationSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

test(
  'a checkpoint is tested with one crop and five; what the panel shows is kept beside it',
  { skip: skipReason },
  () =>
    withWorkbench({ folder, theme: 'light' }, async (workbench) => {
      await openViewContainer(workbench, 'Fivecrop');
      const row = treeRow(workbench, 'Checkpoints', 'small');
      await row.waitFor();
      await chooseInContextMenu(workbench, row, 'Test Checkpoint...');
      await chooseQuickPick(workbench, 'test');
      await chooseQuickPick(workbench, 'Centre crop and five crops');
      for (const crops of [1, 5] as const) {
        const { accuracy, loss, images } = await keptEvaluation(crops);
        assert.equal(images, 50);
        const card = webview(workbench)
          .locator('article, section')
          .filter({ hasText: loss.toFixed(4) });
        await card
          .getByText(`${(accuracy * 100).toFixed(2)} %`)
          .first()
          .waitFor();
      }
      await screenshot(workbench, 'scenario-test', ['light', 'dark', 'highContrast']);
    }),
);

test('a folder of 200 images is classified into one list', { skip: skipReason }, () =>
  withWorkbench({ folder }, async (workbench) => {
    await chooseInContextMenu(workbench, await explorerRow(workbench, 'flowers/train'), 'Classify Image');
    await webview(workbench)
      .getByText(/200 images/)
      .first()
      .waitFor({ timeout: 60_000 });
    await screenshot(workbench, 'scenario-many', ['light', 'dark', 'highContrast']);
  }),
);

test('a run whose trainer was killed is shown as broken off, and can be resumed', { skip: skipReason }, async () => {
  const args = ['--import', import.meta.resolve('tsx'), main, 'train', 'flowers', ...network];
  const trainer = spawn(process.execPath, [...args, '--epochs', '4000', '--name', 'killed'], {
    cwd: folder,
    // What loads TypeScript for the test itself is not found from there.
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: 'ignore',
  });
  try {
    const last = join(folder, 'runs', 'killed', 'checkpoints', 'last.safetensors');
    await until(() => existsSync(last), 'the first checkpoint is saved');
    await withWorkbench({ folder }, async (workbench) => {
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
    });
  } finally {
    trainer.kill('SIGKILL');
  }
});

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Waited a minute until ${what}.`);
    await delay(100);
  }
}
