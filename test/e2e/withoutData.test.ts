import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { nvidiaDriver } from '../../src/ml/engine/onnxruntime/cuda/nvidiaDriver.ts';
import manifest from '../../package.json' with { type: 'json' };
import strings from '../../package.nls.json' with { type: 'json' };
import { stage, type Stage } from './scenarios.ts';
import { until } from './until.ts';
import {
  answerInput,
  chooseInContextMenu,
  chooseWhenStill,
  explorerRow,
  notification,
  openFolder,
  openViewContainer,
  quickInput,
  quickPickRow,
  reloadWindow,
  runCommand,
  screenshot,
  webview,
  type Workbench,
} from './workbench.ts';

/** What a command does where there are no runs: says one sentence, asks something, or works. */
type Effect = RegExp | 'asks' | 'works';

const noRun = /^There are no runs here yet; Fivecrop: Train Model starts one\.$/;
const noCheckpoint = (verb: string) =>
  new RegExp(`^There is no checkpoint to ${verb} yet; train a model first with Fivecrop: Train Model\\.$`);

const withoutRuns: Record<string, Effect> = {
  'Train Model...': 'asks',
  Resume: /^There is no run to resume; Fivecrop: Train Model starts one\.$/,
  'Start Again': /^No run here ended before its first checkpoint; Fivecrop: Resume continues the others\.$/,
  Stop: /^No run is training now, so there is nothing to stop\.$/,
  Pause: /^No run is training now, so there is nothing to pause\.$/,
  Follow: /^Every run on another machine is followed, or shares its disk with this one\.$/,
  'Show Job Status': /^No submitted run waits or was lost; “fivecrop submit” hands runs over\.$/,
  'Show Run': noRun,
  'Show Configuration': noRun,
  'Show Log of Run': noRun,
  'Rename...': /^There is no run to rename: /,
  Delete: /^There is no run to delete: /,
  'Open Runs Folder': /^There are no runs yet: .* is created by the first one\.$/,
  Refresh: 'works',
  'Show Log': 'works',
  'Draw Sample Data Set...': 'asks',
  'Add Folder...': 'asks',
  'Import Data Set...': 'asks',
  'Show What Is in the Data': /^There is no folder of images in the list yet; Add Folder adds one\.$/,
  'Clean Data': /^There is no folder of images in the list yet; Add Folder adds one\.$/,
  'Show Feature Map...': /^There is no folder of images in the list yet; Add Folder adds one\.$/,
  'Label Images...': 'asks',
  // Where there is a card that it could use, it shows the licenses.
  'Install CUDA Runtime': (await nvidiaDriver()).usable ? 'asks' : /^CUDA cannot be used here: .+\.$/,
  'Remove CUDA Runtime': /^CUDA Runtime is not installed\.$/,
  'Install TensorFlow GPU Runtime': 'asks',
  'Classify Image': 'asks',
  'Classify with This Checkpoint...': noCheckpoint('classify with'),
  'Test Checkpoint...': noCheckpoint('test'),
  'Show Test Results': noCheckpoint('show the test results of'),
  'Serve Model...': noCheckpoint('serve'),
  'Show Served Models': /^No model is served now; Fivecrop: Serve Model starts one\.$/,
  'Export Model...': noCheckpoint('export'),
  'Export Run as HTML Page...': noRun,
  'Run a Study...': 'asks',
  'New Sweep...': 'asks',
  'Show Sweep': /^There are no sweeps here yet; Fivecrop: New Sweep starts one\.$/,
  'Stop Sweep': /^No sweep is running now, so there is nothing to stop\.$/,
  'Resume Sweep': /^There is no sweep to resume; Fivecrop: New Sweep starts one\.$/,
  'Show Devices': 'asks',
  'Train Again with These Settings...': noRun,
};

const withNothingOpen: Record<string, Effect> = {
  ...withoutRuns,
  'Train Model...': /^Open a folder first: runs and their checkpoints are kept inside it\.$/,
  'Run a Study...': /^Open a folder first: runs and their checkpoints are kept inside it\.$/,
  'New Sweep...': /^Open a folder first: runs and their checkpoints are kept inside it\.$/,
  'Draw Sample Data Set...': /^Open a folder first: the sample data set is drawn into it\.$/,
  'Import Data Set...': /^Open a folder first: the data set is imported into it\.$/,
  'Open Runs Folder': /^Open a folder first: runs are kept inside it\.$/,
};

const scenario = stage({
  // High enough for all running extensions: the list is sorted by time, and only rows in sight are drawn.
  viewport: { width: 1200, height: 2000 },
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, '.flowers'), 0);
    await mkdir(join(folder, 'lonely', 'daisy'), { recursive: true });
    const [image = ''] = await readdir(join(folder, '.flowers', 'test', '1'));
    await rename(join(folder, '.flowers', 'test', '1', image), join(folder, 'lonely', 'daisy', 'only.jpg'));
    for (const [name, data, method] of [
      ['gone', 'gone', 'scratch'],
      ['good', '.flowers', 'scratch'],
      ['frozen', '.flowers', 'head'],
    ] as const) {
      const network = { kind: 'architecture', name: method === 'head' ? 'resnet18' : 'ConvNet1' };
      await writeFile(join(folder, `${name}.fivecrop.json`), JSON.stringify({ data, network, method }));
    }
  },
});

scenario('where there are no runs, every command of the palette says so, asks or works', async (here) => {
  await everyCommand(here, withoutRuns);
});

scenario('a folder with a single image is refused with the reason, and another can be chosen', async (here) => {
  const { workbench } = here;
  await openViewContainer(workbench, 'Explorer');
  await chooseInContextMenu(workbench, await explorerRow(workbench, 'lonely'), 'Train Model on This Folder...');
  await quickInput(workbench).getByPlaceholder('Which network?').fill('ConvNet1');
  await chooseWhenStill(workbench, 'ConvNet1');
  await quickInput(workbench)
    .getByText(/How many epochs/)
    .waitFor();
  await answerInput(workbench, '1');
  await quickInput(workbench)
    .getByText(/How many images per step/)
    .waitFor();
  await answerInput(workbench, '8');
  await refusedBecause(here, /class/);
  await leaveQuestion(here);
});

scenario('what is in the data is shown rendered, while the question stays', async (here) => {
  const { workbench } = here;
  await openViewContainer(workbench, 'Explorer');
  const file = await explorerRow(workbench, 'good.fivecrop.json');
  await chooseInContextMenu(workbench, file, 'Train with This File');
  await quickPickRow(workbench, /Show What Is in the Data/).waitFor();
  // After that the list is drawn anew, maybe under a click.
  await quickPickRow(workbench, /Checking for Unreadable/).waitFor({ state: 'hidden' });
  await chooseWhenStill(workbench, /Show What Is in the Data/);
  await webview(workbench).getByRole('heading', { level: 2, name: 'Classes' }).waitFor();
  await leaveQuestion(here);
});

scenario('frozen layers can be ticked to compute in 8 bits, where some are', async (here) => {
  const { workbench } = here;
  const eightBits = /Compute Frozen Layers in 8 Bits/;
  await openViewContainer(workbench, 'Explorer');
  await chooseInContextMenu(workbench, await explorerRow(workbench, 'frozen.fivecrop.json'), 'Train with This File');
  await quickPickRow(workbench, eightBits).waitFor();
  // After that the list is drawn anew, maybe under a click.
  await quickPickRow(workbench, /Checking for Unreadable/).waitFor({ state: 'hidden' });
  await chooseWhenStill(workbench, eightBits);
  await quickPickRow(workbench, eightBits).locator('.codicon-check').waitFor();
  await screenshot(workbench, 'last-question');
  await chooseWhenStill(workbench, eightBits);
  await quickPickRow(workbench, eightBits).locator('.codicon-circle-large-outline').waitFor();
  await leaveQuestion(here);
  await chooseInContextMenu(workbench, await explorerRow(workbench, 'good.fivecrop.json'), 'Train with This File');
  await quickPickRow(workbench, /Show What Is in the Data/).waitFor();
  assert.equal(await quickPickRow(workbench, eightBits).count(), 0);
  await leaveQuestion(here);
});

scenario('a folder that is gone is refused with its name, and another can be chosen', async (here) => {
  const { workbench, folder } = here;
  await openViewContainer(workbench, 'Explorer');
  const file = await explorerRow(workbench, 'gone.fivecrop.json');
  await chooseInContextMenu(workbench, file, 'Train with This File');
  await refusedBecause(here, new RegExp(join(folder, 'gone')));
  await leaveQuestion(here);
});

async function refusedBecause({ workbench }: Stage, reason: RegExp): Promise<void> {
  await quickPickRow(workbench, /Choose Another Folder/).waitFor();
  const rows = quickInput(workbench).locator('.quick-input-list .monaco-list-row');
  await rows.filter({ hasText: reason }).first().waitFor();
  assert.equal(await quickPickRow(workbench, /Start Training/).count(), 0);
}

async function leaveQuestion({ workbench }: Stage): Promise<void> {
  await quickInput(workbench).locator('input').press('Escape');
  await quickInput(workbench).waitFor({ state: 'hidden' });
}

scenario('the editor says how long the activation took', async (here) => {
  await reloadWindow(here.workbench);
  console.log(`activation: ${await activationTime(here.workbench)} ms`);
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

scenario('with nothing open, every command of the palette says so, asks or works', async (here) => {
  await openFolder(here.workbench);
  await everyCommand(here, withNothingOpen);
});

async function everyCommand({ workbench }: Stage, effects: Record<string, Effect>): Promise<void> {
  assert.deepEqual(Object.keys(effects).sort(), paletteTitles());
  for (const [title, effect] of Object.entries(effects)) {
    await runCommand(workbench, `Fivecrop: ${title}`);
    if (effect instanceof RegExp) await saysInOneSentence(workbench, title, effect);
    else if (effect === 'asks') await asks(workbench);
  }
  assert.deepEqual(await loggedErrors(workbench), []);
}

/** The titles of our commands that the palette shows whatever is open. */
function paletteTitles(): string[] {
  const { commands, menus } = manifest.contributes;
  const conditional = new Set(menus.commandPalette.map(({ command }) => command));
  const shown = commands.filter(({ command }) => !conditional.has(command));
  return shown.map(({ title }) => strings[title.replaceAll('%', '') as keyof typeof strings]).sort();
}

async function saysInOneSentence(workbench: Workbench, title: string, sentence: RegExp): Promise<void> {
  const { page } = workbench;
  const toast = notification(workbench, /\S/).locator('.notification-list-item-message');
  await toast.first().waitFor();
  assert.deepEqual(await toast.count(), 1, `${title} showed more than one notification`);
  const message = (await toast.first().innerText()).replace(/\s+/g, ' ').trim();
  assert.match(message, sentence, title);
  // It asks for nothing besides; the palette's own list takes a moment to go.
  await quickInput(workbench).waitFor({ state: 'hidden' });
  await page.keyboard.press('Escape');
  await toast.first().waitFor({ state: 'detached' });
}

/** In a list, a line or a dialog, which Escape ends without a word. */
async function asks(workbench: Workbench): Promise<void> {
  const { page } = workbench;
  const palette = page.getByPlaceholder(/name of a command/);
  const list = page.locator('.quick-input-widget:visible').filter({ hasNot: palette });
  const question = list.or(page.locator('.monaco-dialog-box:visible'));
  await question.waitFor();
  await until('Escape ends the question', async () => {
    await page.keyboard.press('Escape');
    return (await question.count()) === 0;
  });
  assert.equal(await notification(workbench, /\S/).count(), 0);
}

/** What the extension's log holds of errors: what it takes for a bug of its own. */
async function loggedErrors({ server }: Workbench): Promise<string[]> {
  const logs = join(server.dataFolder, 'data', 'logs');
  const names = (await readdir(logs, { recursive: true })).filter((name) => name.endsWith('Fivecrop.log'));
  assert.ok(names.length > 0, 'the extension has a log');
  const texts = await Promise.all(names.map((name) => readFile(join(logs, name), 'utf8')));
  return texts.flatMap((text) => text.split('\n')).filter((line) => line.includes('[error]'));
}
