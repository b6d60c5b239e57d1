import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FrameLocator, Locator } from 'playwright-core';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { imagePredictionSchema, type ImagePrediction, type RankedClass } from '../../src/protocol/prediction.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';
import { allEvents } from '../unit/runs/allEvents.ts';
import { hostUsage } from './hostUsage.ts';
import { recordOf } from './runs.ts';
import { stage, type Stage } from './scenarios.ts';
import { until } from './until.ts';
import {
  answerInput,
  chooseInContextMenu,
  chooseWhenStill,
  explorerRow,
  noteEditors,
  notification,
  openViewContainer,
  quickInput,
  reloadWindow,
  runCommand,
  saveAs,
  screenshot,
  startTraining,
  treeRow,
  webview,
  type Workbench,
} from './workbench.ts';

/** Far more than the scenario sees: it stops the run itself. */
const epochs = 4000;

const scenario = stage({
  theme: 'dark',
  prepare: async (folder) => {
    await drawSampleDataset(join(folder, 'flowers'), 0);
    await mkdir(join(folder, 'exports'));
  },
});

scenario(
  'a run is begun, followed over a reload, paused, stopped, used and resumed as a user does it',
  async (here) => {
    const { workbench, folder } = here;
    await beginTraining(workbench);
    const run = await findRun(folder);
    const state = (wanted: string) =>
      until(`the run is ${wanted}`, async () => (await recordOf(run))?.state === wanted);
    await stepBeyond(workbench, 3);
    const before = await stepsInPage(here, 'before.csv');
    assertUnbroken(before, 'before the reload');

    const trainer = (await recordOf(run))?.process?.pid;
    assert.ok(trainer !== undefined, 'the record names the process');
    await noteEditors(workbench, /fivecrop\.training.*panel\W+[0-9a-f-]{36}/);
    await reloadWindow(workbench);
    await stepBeyond(workbench, before.length + 3);
    assert.equal((await recordOf(run))?.process?.pid, trainer, 'the reload must leave the trainer alone');
    const after = await stepsInPage(here, 'after.csv');
    assert.ok(after.length > before.length);
    assertUnbroken(after, 'after the reload');
    await screenshot(workbench, 'scenario-training');

    await openViewContainer(workbench, 'Fivecrop');
    const row = treeRow(workbench, 'Checkpoints', 'ConvNet1 scratch');
    await row.waitFor();
    if ((await row.getAttribute('aria-expanded')) !== 'true') await row.locator('.monaco-tl-twistie').click();
    await treeRow(workbench, 'Checkpoints', 'best').waitFor();
    await treeRow(workbench, 'Checkpoints', 'last').waitFor();
    console.log(`the extension host while a run trains: ${await hostUsage(workbench.server.pid, 10)}`);

    await button(workbench, 'Pause').click();
    await state('paused');
    await button(workbench, 'Resume').waitFor();
    const paused = await lastStepOf(run);
    await until('the page has all steps', async () => (await lastStep(workbench)) === paused);
    await delay(1000);
    assert.deepEqual([await lastStep(workbench), await lastStepOf(run)], [paused, paused], 'a paused run does no step');
    await button(workbench, 'Resume').click();
    await stepBeyond(workbench, paused + 3);
    assert.equal((await recordOf(run))?.process?.pid, trainer, 'a paused run keeps its process');

    await button(workbench, 'Stop').click();
    await state('stopped');
    await button(workbench, 'Resume').waitFor();
    const stopped = await lastStep(workbench);

    await assertClassifiedAsByCommand(here, run);

    await openViewContainer(workbench, 'Fivecrop');
    await chooseInContextMenu(workbench, row, 'Show Run');
    await button(workbench, 'Resume').click();
    await stepBeyond(workbench, stopped + 3);
    assertUnbroken(await stepsInPage(here, 'resumed.csv'), 'after the run was resumed');
    await button(workbench, 'Stop').click();
    await state('stopped');
  },
);

async function beginTraining(workbench: Workbench): Promise<void> {
  await runCommand(workbench, 'Fivecrop: Train Model...');
  await chooseWhenStill(workbench, /flowers/);
  // The list is drawn in part only: filtered, the network is there.
  await quickInput(workbench).getByPlaceholder('Which network?').fill('ConvNet1');
  await chooseWhenStill(workbench, 'ConvNet1');
  await answerQuestion(workbench, /How many epochs/, String(epochs));
  await answerQuestion(workbench, /How many images per step/, '8');
  await startTraining(workbench);
}

/** An input box takes the place of the one before it: its question says when it is there. */
async function answerQuestion(workbench: Workbench, question: RegExp, answer: string): Promise<void> {
  await quickInput(workbench).getByText(question).waitFor();
  await answerInput(workbench, answer);
}

async function findRun(folder: string): Promise<string> {
  const runs = join(folder, 'runs');
  // While it is made, a folder has a name that begins with a dot.
  const made = async () => (existsSync(runs) ? (await readdir(runs)).filter((name) => !name.startsWith('.')) : []);
  await until('the run has its folder', async () => (await made()).length > 0);
  return join(runs, (await made())[0] ?? '');
}

/** The last step that the page has, as its table of latest values says; 0 before the first. */
async function lastStep(workbench: Workbench): Promise<number> {
  const cell = webview(workbench).locator('table', { hasText: 'Latest values' }).locator('tbody tr td').first();
  const text = await cell.textContent({ timeout: 5000 }).catch(() => '');
  return Number(text?.replace(/\D/g, '') ?? 0);
}

/** The last step that the folder of a run tells of. */
async function lastStepOf(run: string): Promise<number> {
  return Math.max(0, ...(await allEvents(run)).map((event) => (event.event === 'step' ? event.step : 0)));
}

async function stepBeyond(workbench: Workbench, step: number): Promise<void> {
  await until(`the page shows a step beyond ${step}`, async () => (await lastStep(workbench)) > step);
}

/** The steps of all points that the page has, in their order: those that it exports. */
async function stepsInPage({ workbench, folder }: Stage, name: string): Promise<number[]> {
  const file = join(folder, 'exports', name);
  await button(workbench, 'CSV').click();
  await saveAs(workbench, file);
  await notification(workbench, `Saved ${file}.`).first().waitFor();
  const [heading = '', ...lines] = (await readFile(file, 'utf8')).trim().split(/\r?\n/);
  const columns = heading.split(',');
  const rows = lines.map((line) => line.split(','));
  const ofSteps = rows.filter((row) => row[columns.indexOf('event')] === 'step');
  return ofSteps.map((row) => Number(row[columns.indexOf('step')]));
}

function assertUnbroken(steps: readonly number[], when: string): void {
  const expected = Array.from({ length: steps.length }, (_, index) => index + 1);
  assert.deepEqual(steps, expected, `the curve has a gap or a repetition ${when}`);
}

async function assertClassifiedAsByCommand({ workbench, folder }: Stage, run: string): Promise<void> {
  const image = 'flowers/test/1/flower_51.jpg';
  const { stdout } = await fivecrop(['predict', join(folder, image), '--checkpoint', run, '--json']);
  const expected = imagePredictionSchema.parse(JSON.parse(stdout));
  await openViewContainer(workbench, 'Explorer');
  await chooseInContextMenu(workbench, await explorerRow(workbench, image), 'Classify Image');
  const page = webview(workbench);
  await page.locator('article.crop').nth(4).waitFor();
  await screenshot(workbench, 'scenario-classification');
  const shown = await readPrediction(page);
  assert.deepEqual(shown, {
    mean: expected.mean.map(rounded),
    crops: expected.crops.map(({ crop, top }) => ({ crop, top: top.map(rounded) })),
  });
}

/** What the page shows of the selected image. */
async function readPrediction(page: FrameLocator) {
  const crops = await page.locator('article.crop').all();
  const names = [
    'center',
    'upper left',
    'lower left',
    'lower right',
    'upper right',
  ] as ImagePrediction['crops'][number]['crop'][];
  return {
    mean: await readBars(page.locator('article.mean')),
    crops: await Promise.all(
      crops.map(async (crop) => {
        const title = (await crop.locator('h3').innerText()).replace(/[\d\s]+/, '').trim();
        return { crop: names.find((name) => name === title), top: await readBars(crop) };
      }),
    ),
  };
}

async function readBars(card: Locator): Promise<{ name: string; percent: number }[]> {
  const bars = await card.locator('li.bar').all();
  return Promise.all(
    bars.map(async (bar) => ({
      name: await bar.locator('.bar-name').innerText(),
      percent: Number.parseFloat(await bar.locator('.bar-value').innerText()),
    })),
  );
}

/** As the page rounds it. */
function rounded({ name, probability }: RankedClass): { name: string; percent: number } {
  return { name, percent: Number((probability * 100).toFixed(1)) };
}

function button(workbench: Workbench, name: string): Locator {
  return webview(workbench).getByRole('button', { name, exact: true }).first();
}
