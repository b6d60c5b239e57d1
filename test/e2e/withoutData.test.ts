import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeFolder } from '../../scripts/host/codeServer.ts';
import {
  notification,
  quickInput,
  reloadWindow,
  runCommand,
  skipReason,
  withWorkbench,
  type Workbench,
} from './workbench.ts';

/** What each command says where there are no runs; with nothing open, some say so first. */
const withoutRuns: Record<string, RegExp> = {
  Resume: /^There is no run to resume; Fivecrop: Train Model begins one\.$/,
  Stop: /^No run is training now, so there is nothing to stop\.$/,
  Pause: /^No run is training now, so there is nothing to pause\.$/,
  'Show Run': /^There are no runs here yet; Fivecrop: Train Model begins one\.$/,
  'Compare Runs...': /^To compare, there have to be two runs at least; /,
  'Show Configuration': /^There are no runs here yet; /,
  'Show Log of Run': /^There are no runs here yet; /,
  'Rename...': /^There is no run to rename: /,
  Delete: /^There is no run to delete: /,
  'Open Runs Folder': /^There are no runs yet: .* is made by the first one\.$/,
  'Test Checkpoint...': /^There is no checkpoint to test yet; train a model first with Fivecrop: Train Model\.$/,
};

const withNothingOpen: Record<string, RegExp> = {
  ...withoutRuns,
  'Train Model...': /^Open a folder first: runs and their checkpoints are kept inside it\.$/,
  'Draw Sample Data Set...': /^Open a folder first: the sample data set is drawn into it\.$/,
  'Open Runs Folder': /^Open a folder first: runs are kept inside it\.$/,
};

test('where there is nothing to work on, every command says so in one sentence', { skip: skipReason }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-empty-'));
  try {
    await withWorkbench({ folder }, async (workbench) => {
      await saysInOneSentence(workbench, withoutRuns);
      await workbench.page.goto(workbench.server.url());
      await workbench.page.locator('.monaco-workbench').waitFor();
      await saysInOneSentence(workbench, withNothingOpen);
    });
  } finally {
    await removeFolder(folder);
  }
});

async function saysInOneSentence(workbench: Workbench, sentences: Record<string, RegExp>): Promise<void> {
  const { page } = workbench;
  for (const [title, sentence] of Object.entries(sentences)) {
    await runCommand(workbench, `Fivecrop: ${title}`);
    const toast = notification(workbench, /\S/).locator('.notification-list-item-message');
    await toast.first().waitFor();
    assert.deepEqual(await toast.count(), 1, `${title} showed more than one notification`);
    const message = (await toast.first().innerText()).replace(/\s+/g, ' ').trim();
    assert.match(message, sentence, title);
    // It asks for nothing besides; the palette's own list takes a moment to go.
    await quickInput(workbench).waitFor({ state: 'hidden', timeout: 5000 });
    await page.keyboard.press('Escape');
    await toast.first().waitFor({ state: 'detached' });
  }
}

/** The extension host's own figure; other extensions and the machine share the time, so the best of a few counts. */
test('activation takes less than 30 milliseconds', { skip: skipReason }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-activation-'));
  try {
    // High enough for all rows: the list is sorted by time, and only rows in sight are drawn.
    await withWorkbench({ folder, viewport: { width: 1200, height: 3000 } }, async (workbench) => {
      const measured = [];
      for (let window = 0; window < 4; window++) {
        measured.push(await activationTime(workbench));
        await reloadWindow(workbench);
      }
      console.log(`activation: ${measured.join(', ')} ms`);
      assert.ok(Math.min(...measured) < 30, measured.join(', '));
    });
  } finally {
    await removeFolder(folder);
  }
});

async function activationTime(workbench: Workbench): Promise<number> {
  // Any command of ours answers only after the activation.
  await runCommand(workbench, 'Fivecrop: Refresh');
  await runCommand(workbench, 'Developer: Show Running Extensions');
  const row = workbench.page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: 'Fivecrop' });
  const activation = row.locator('.activation-time').filter({ hasText: /\d/ });
  await activation.waitFor();
  const milliseconds = Number(/(\d+)\s*ms/.exec(await activation.innerText())?.[1] ?? NaN);
  await runCommand(workbench, 'View: Close All Editors');
  return milliseconds;
}
