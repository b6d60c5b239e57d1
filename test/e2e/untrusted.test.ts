import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readEvaluations } from '../../src/runs/evaluations.ts';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';
import { stage } from './scenarios.ts';
import { until } from './until.ts';
import {
  chooseInContextMenu,
  chooseQuickPick,
  openViewContainer,
  runCommand,
  runCommandOn,
  screenshot,
  treeRow,
  webview,
} from './workbench.ts';

const network = '--arch ConvNet1 --method scratch --image-size 32 --resize 36 --epochs 1';
const commands = [`train flowers ${network} --name small`, 'test flowers --checkpoint runs/small'];

const scenario = stage({
  workspaceTrust: true,
  // The window begins untrusted, without a dialog.
  settings: { 'security.workspace.trust.startupPrompt': 'never' },
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'flowers'), 0);
    for (const command of commands) {
      const { code, stderr } = await fivecrop([...command.split(' '), '--device', 'cpu'], { cwd: folder });
      assert.equal(code, 0, stderr);
    }
    // A run that ended early, as far as its record says.
    await cp(join(folder, 'runs', 'small'), join(folder, 'runs', 'early'), { recursive: true });
    const record = join(folder, 'runs', 'early', 'run.json');
    const finished = JSON.parse(await readFile(record, 'utf8')) as object;
    await writeFile(record, JSON.stringify({ ...finished, state: 'stopped', name: 'early' }));
  },
});

scenario(
  'a run that could go on is looked at before the folder is trusted, and says what it waits for',
  async (here) => {
    const { workbench } = here;
    await openViewContainer(workbench, 'Fivecrop');
    await runCommandOn(workbench, 'Fivecrop: Show Run', /early/);
    const page = webview(workbench);
    await page.getByText('Training waits until you trust this workspace').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Resume' }).isDisabled());
    await screenshot(workbench, 'scenario-untrusted-run');
  },
);

scenario('results are looked at before the folder is trusted, and tested again after that', async (here) => {
  const { workbench, folder } = here;
  await openViewContainer(workbench, 'Fivecrop');
  const row = treeRow(workbench, 'Checkpoints', 'small');
  await row.waitFor();
  await chooseInContextMenu(workbench, row, 'Show Test Results');
  const page = webview(workbench);
  const refusal = page.getByText('Testing waits until you trust this workspace');
  const again = page.getByRole('button', { name: 'Test again' });
  await refusal.waitFor();
  assert.ok(await again.isDisabled());

  await runCommand(workbench, 'Workspaces: Manage Workspace Trust');
  await workbench.page.getByRole('button', { name: 'Trust', exact: true }).click();
  await runCommandOn(workbench, 'Fivecrop: Show Test Results', /small/);
  await chooseQuickPick(workbench, /best/);
  await refusal.waitFor({ state: 'hidden' });
  const checkpoint = join(folder, 'runs', 'small', 'checkpoints', 'best.safetensors');
  const times = async () => (await readEvaluations(checkpoint, () => undefined)).map(({ time }) => time);
  const before = await times();
  await again.click();
  await until('it is tested again', async () => (await times()).some((time) => !before.includes(time)));
});
