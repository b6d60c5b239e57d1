import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Locator } from 'playwright-core';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { sampleSettingsFile } from '../../src/protocol/sampleSettingsFile.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';
import { recordsIn } from './runs.ts';
import { stage, type Stage } from './scenarios.ts';
import { until } from './until.ts';
import {
  answerInput,
  chooseInContextMenu,
  chooseWhenStill,
  chooseUntilTaken,
  notification,
  openViewContainer,
  quickInput,
  quickPickRow,
  runCommand,
  screenshot,
  startTraining,
  treeRow,
  webview,
  type Workbench,
} from './workbench.ts';

// Port 9 (discard) of this machine answers nobody: no pretrained weights can be had.
const unreachable = 'http://127.0.0.1:9';
const actions = ['Try Again', 'Open Weights Folder', 'Set Mirror...', 'Train Without Pretrained Weights'];
const toastActions = ['Try Again', 'Open Folder', 'Set Mirror...', 'Train Without'];

const scenario = stage({
  theme: 'light',
  machineSettings: { 'fivecrop.weightsMirror': unreachable, 'fivecrop.weightsFolder': '.weights' },
  prepare: () => Promise.resolve(),
});

scenario('without a network the first point of a curve is five clicks from an empty folder', async (here) => {
  const { workbench, folder } = here;
  let clicks = 0;
  const click = async (target: Locator) => {
    clicks++;
    await target.click();
  };
  const began = Date.now();
  const seconds = () => ((Date.now() - began) / 1000).toFixed(1);
  await click(workbench.page.locator('.activitybar .action-item a[aria-label^="Fivecrop"]'));
  await click(workbench.page.locator('.welcome-view-content').getByRole('button', { name: 'Train Model' }).first());
  const draw = quickPickRow(workbench, /Draw a Sample Data Set/);
  await draw.waitFor();
  assert.match(await quickInput(workbench).locator('.quick-input-title').innerText(), /^Train Model \(1\/6\)$/);
  await pictures(here, 'first-empty-folder');
  await click(draw);
  clicks++;
  await startTraining(workbench);
  await until('the page shows a step', async () => (await lastStep(workbench)) > 0);
  console.log(`the first point after ${clicks} clicks and ${seconds()} s`);
  assert.ok(clicks <= 5, `${clicks} clicks`);

  const record = async () => (await recordsIn(folder))[0];
  const hasFinished = async () => (await record())?.state === 'finished';
  const stepsTaken = async () => (await record())?.progress?.step ?? 0;
  // On a busy machine it takes its time, and is waited for as long as it goes on.
  while (!(await hasFinished())) {
    const before = await stepsTaken();
    await until('the run goes on, or has finished', async () => (await hasFinished()) || (await stepsTaken()) > before);
  }
  console.log(`the sample is learned after ${seconds()} s`);
  const run = await record();
  assert.ok((run?.best?.validAccuracy ?? 0) >= 0.95, `validation accuracy ${run?.best?.validAccuracy ?? 0}`);
  assert.deepEqual([run?.config.imageSize, run?.config.method], [64, 'scratch']);
});

scenario('weights that cannot be had are told before the start, with what can be done about it', async (here) => {
  const { workbench, folder } = here;
  const { page } = workbench;
  await drawPhotos(folder);
  await runCommand(workbench, 'Fivecrop: Train Model...');
  await chooseWhenStill(workbench, /photos/);
  const question = quickInput(workbench).getByPlaceholder('Which network?');
  await question.waitFor();
  const groups = quickInput(workbench).locator('.quick-input-list-separator');
  await groups.filter({ hasText: 'From a File or the Hub', visible: true }).first().waitFor();
  // What is best here comes first, and is what Enter chooses.
  const best = quickPickRow(workbench, /Best Accuracy/);
  await best.filter({ hasText: /to download/ }).waitFor();
  await best.and(page.locator('.focused')).waitFor();
  await quickPickRow(workbench, /Quick/).filter({ hasText: 'MobileNetV4' }).waitFor();
  await pictures(here, 'first-networks');
  // Speeds that are measured meanwhile draw the list anew.
  await question.fill('SqueezeNet 1.1');
  await chooseUntilTaken(workbench, 'SqueezeNet 1.1');
  await chooseWhenStill(workbench, 'Head only');
  await answer(workbench, /How many epochs/, '1');
  await answer(workbench, /How many images per step/, '8');

  const trouble = quickPickRow(workbench, /The Pretrained Weights of squeezenet1_1 Are Not Available/);
  await trouble.waitFor();
  await trouble.filter({ hasText: '127.0.0.1:9 cannot be reached' }).waitFor();
  assert.equal(await quickPickRow(workbench, /Start Training/).count(), 0);
  for (const action of actions) await quickPickRow(workbench, labelled(action)).waitFor();
  await quickPickRow(workbench, /Checking for Unreadable/).waitFor({ state: 'hidden' });
  await pictures(here, 'first-no-weights');

  const opened = page.context().waitForEvent('page');
  await chooseWhenStill(workbench, labelled('Open Weights Folder'));
  assert.match(decodeURIComponent((await opened).url()), /\.weights$/);
  await (await opened).close();
  assert.ok(existsSync(join(folder, '.weights')));

  const mirror = await openMirror();
  try {
    await chooseWhenStill(workbench, labelled('Set Mirror...'));
    const input = quickInput(workbench).locator('input');
    await quickInput(workbench).getByText('Set Mirror for Pretrained Weights').waitFor();
    await input.fill('ftp://example.org');
    await quickInput(workbench).getByText('An address that begins with https:// or http://.').waitFor();
    await answerInput(workbench, mirror.address);
    await quickPickRow(workbench, /Start Training/)
      .filter({ hasText: /after a download of \d MB from 127\.0\.0\.1/ })
      .waitFor();
    await startTraining(workbench);
    // The mirror has something else under the file's name.
    const toast = notification(workbench, /has another file under its name\./);
    await toast.waitFor();
    for (const action of toastActions) await toast.getByRole('button', { name: action, exact: true }).waitFor();
    await pictures(here, 'first-no-weights-toast');
    await toast.getByRole('button', { name: 'Train Without' }).click();
  } finally {
    mirror.close();
  }
  await stopRun(here, ({ config }) => config.data === join(folder, 'photos') && config.method === 'scratch');
});

scenario('a run that failed for want of weights offers in its panel what can be done about it', async (here) => {
  const { workbench, folder } = here;
  const env = { FIVECROP_MIRROR: unreachable, FIVECROP_WEIGHTS: join(folder, '.weights') };
  const args = ['train', 'photos', '--arch', 'squeezenet1_1', '--device', 'cpu', '--epochs', '1', '--name', 'lacking'];
  const { code, stderr } = await fivecrop(args, { cwd: folder, env });
  assert.equal(code, 1);
  assert.match(stderr, /127\.0\.0\.1:9 cannot be reached; name a mirror with FIVECROP_MIRROR, put the file into /);

  await openViewContainer(workbench, 'Fivecrop');
  await chooseInContextMenu(workbench, treeRow(workbench, 'Checkpoints', 'lacking'), 'Show Run');
  const page = webview(workbench);
  const banner = page.getByText(
    /127\.0\.0\.1:9 cannot be reached; name a mirror in the settings \(fivecrop\.weightsMirror/,
  );
  await banner.waitFor();
  const buttons = page.locator('.run-header vscode-button');
  assert.deepEqual(await buttons.allInnerTexts(), [
    'Try Again',
    'Open Weights Folder',
    'Set Mirror…',
    'Train Without Pretrained Weights',
    'Train Again with These Settings…',
    'Configuration',
  ]);
  await pictures(here, 'first-lacking');
  // The window has seen the run fail; what it offers there is what the panel offers.
  const ofEnd = notification(workbench, /lacking failed\. The pretrained weights/);
  for (const action of toastActions) await ofEnd.getByRole('button', { name: action, exact: true }).waitFor();
  await buttons.filter({ hasText: 'Try Again' }).click();
  const toast = notification(workbench, /pretrained weights of squeezenet1_1/).filter({ hasNotText: 'lacking failed' });
  await toast.waitFor();
  await toast.getByRole('button', { name: 'Set Mirror...' }).click();
  await quickInput(workbench).getByText('Set Mirror for Pretrained Weights').waitFor();
  await workbench.page.keyboard.press('Escape');
  // Without a mirror the offers come again.
  await toast.waitFor();
  await buttons.filter({ hasText: 'Train Without' }).click();
  await stopRun(here, ({ name, config }) => name.startsWith('squeezenet1_1') && config.epochs === 1);
});

const themes = ['Light Modern', 'Dark Modern', 'High Contrast', 'High Contrast Light'];

/** A picture of the window, or, if pictures were asked for, one in each theme. Settings of the folder leave open what is open. */
async function pictures({ workbench, folder }: Stage, name: string): Promise<void> {
  if (process.env['FIVECROP_SCREENSHOTS'] === undefined) return screenshot(workbench, name);
  const settings = join(folder, '.vscode', 'settings.json');
  await mkdir(join(folder, '.vscode'), { recursive: true });
  for (const theme of themes) {
    await writeFile(settings, JSON.stringify({ 'workbench.colorTheme': `Default ${theme}` }));
    // The window takes the colours a moment later.
    await delay(3000);
    await screenshot(workbench, `${name}-${theme.toLowerCase().replaceAll(' ', '-')}`);
  }
  await rm(settings);
}

scenario(
  'Show Devices compares the same step, says what Automatic takes and what to do in the editor',
  async (here) => {
    const { workbench } = here;
    await runCommand(workbench, 'Fivecrop: Show Devices');
    const automatic = quickPickRow(workbench, 'Automatic');
    await automatic.waitFor();
    await pictures(here, 'first-devices');
    assert.match(await automatic.innerText(), /Takes \w+ \((ONNX Runtime|TensorFlow\.js)\): \w+/);
    const rows = await quickInput(workbench).locator('.quick-input-list .monaco-list-row').allInnerTexts();
    const of = (device: string, engine: string) =>
      rows.find((row) => row.includes(engine) && row.trim().startsWith(device)) ?? '';
    const onCpu = /cpu[^]*?(about )?([\d.]+) s per step/;
    const seconds = (row: string) => Number(onCpu.exec(row)?.[2]);
    const [ours, javascript] = [seconds(of('cpu', 'ONNX Runtime')), seconds(of('cpu', 'TensorFlow.js'))];
    console.log(`a step on the CPU: ONNX Runtime ${ours} s, TensorFlow.js ${javascript} s`);
    // Plain JavaScript has no vectors and no threads.
    assert.ok(javascript > ours, rows.join('\n'));
    assert.match(of('cuda', 'TensorFlow.js'), /Fivecrop: Install TensorFlow GPU Runtime/);
    assert.ok(!rows.some((row) => row.includes('npm')), rows.join('\n'));
    await workbench.page.keyboard.press('Escape');
  },
);

/** A folder of images that nothing says is a sample. */
async function drawPhotos(folder: string): Promise<void> {
  const photos = join(folder, 'photos');
  await drawSampleDataset(photos, 1);
  await rm(join(photos, sampleSettingsFile));
  await mkdir(join(folder, '.weights'), { recursive: true });
}

/** A server that has under every name a file that is none of the weights. */
async function openMirror(): Promise<{ address: string; close: () => void }> {
  const server = createServer((_, response) => response.end(Buffer.alloc(2e6)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Waits for a run to be there, and stops it as a user does. */
async function stopRun({ workbench, folder }: Stage, isIt: (record: Runs[number]) => boolean): Promise<void> {
  const record = async () => (await recordsIn(folder)).find((each) => each.name !== 'lacking' && isIt(each));
  await until('the run is there', async () => (await record()) !== undefined);
  const name = (await record())?.name ?? '';
  const found = async () => (await recordsIn(folder)).find((each) => each.name === name);
  const stop = webview(workbench)
    .locator('.run-header vscode-button')
    .filter({ hasText: /^Stop( Now)?$/ });
  await until('the run has ended', async () => {
    if (['stopped', 'finished', 'failed'].includes((await found())?.state ?? '')) return true;
    await stop.click({ timeout: 2000 }).catch(() => undefined);
    return false;
  });
  assert.notEqual((await found())?.state, 'failed', (await found())?.reason);
}

type Runs = Awaited<ReturnType<typeof recordsIn>>;

/** A row whose label is `text` behind an icon. */
function labelled(text: string): RegExp {
  return new RegExp(`${text.replaceAll('.', '\\.')}$`);
}

async function answer(workbench: Workbench, question: RegExp, text: string): Promise<void> {
  await quickInput(workbench).getByText(question).waitFor();
  await answerInput(workbench, text);
}

/** The last step that the page has, as its table of latest values says; 0 before the first. */
async function lastStep(workbench: Workbench): Promise<number> {
  const cell = webview(workbench).locator('table', { hasText: 'Latest values' }).locator('tbody tr td').first();
  const text = await cell.textContent({ timeout: 2000 }).catch(() => '');
  return Number(text?.replace(/\D/g, '') ?? 0);
}
