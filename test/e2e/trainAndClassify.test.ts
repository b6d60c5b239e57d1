import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { FrameLocator, Locator } from 'playwright-core';
import { removeFolder } from '../../scripts/host/codeServer.ts';
import { imagePredictionSchema, type ImagePrediction, type RankedClass } from '../../src/protocol/prediction.ts';
import { runRecordSchema, type RunRecord } from '../../src/protocol/runRecord.ts';
import { drawSampleDataset } from '../../src/ml/data/drawSampleDataset.ts';
import { fivecrop } from '../unit/cli/runCommand.ts';
import {
  answerInput,
  chooseInContextMenu,
  chooseQuickPick,
  explorerRow,
  openViewContainer,
  quickInput,
  reloadWindow,
  runCommand,
  screenshot,
  skipReason,
  treeRow,
  webview,
  withWorkbench,
  type Workbench,
} from './workbench.ts';

/** Far more than the scenario sees: it stops the run itself. */
const epochs = 400;

test(
  'a run is begun, followed over a reload, stopped, used and resumed as a user does it',
  { skip: skipReason },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fivecrop-scenario-'));
    try {
      await drawSampleDataset(join(folder, 'flowers'), 0);
      await mkdir(join(folder, 'exports'));
      await withWorkbench({ folder, theme: 'dark' }, async (workbench) => {
        await beginTraining(workbench);
        const run = await findRun(folder);
        await stepBeyond(workbench, 3);
        const before = await stepsInPage(workbench, join(folder, 'exports', 'before.csv'));
        assertUnbroken(before, 'before the reload');

        const process = (await recordOf(run)).process?.pid;
        await reloadWindow(workbench);
        await stepBeyond(workbench, before.length + 3);
        assert.equal((await recordOf(run)).process?.pid, process, 'the reload must leave the trainer alone');
        const after = await stepsInPage(workbench, join(folder, 'exports', 'after.csv'));
        assert.ok(after.length > before.length);
        assertUnbroken(after, 'after the reload');
        await screenshot(workbench, 'scenario-training');

        await openViewContainer(workbench, 'Fivecrop');
        const row = treeRow(workbench, 'Checkpoints', run.split('/').at(-1) ?? '');
        await row.waitFor();
        if ((await row.getAttribute('aria-expanded')) !== 'true') await row.locator('.monaco-tl-twistie').click();
        await treeRow(workbench, 'Checkpoints', 'best').waitFor({ timeout: 120_000 });
        await treeRow(workbench, 'Checkpoints', 'last').waitFor();

        await button(webview(workbench), 'Stop').click();
        await until(async () => (await recordOf(run)).state === 'stopped', 'the run stops');
        await button(webview(workbench), 'Resume').waitFor();
        const stopped = await lastStep(workbench);

        await assertClassifiedAsByCommand(workbench, run);

        await openViewContainer(workbench, 'Fivecrop');
        await chooseInContextMenu(workbench, row, 'Show Run');
        await button(webview(workbench), 'Resume').click();
        await stepBeyond(workbench, stopped + 3);
        assertUnbroken(
          await stepsInPage(workbench, join(folder, 'exports', 'resumed.csv')),
          'after the run was resumed',
        );
        await button(webview(workbench), 'Stop').click();
        await until(async () => (await recordOf(run)).state === 'stopped', 'the run stops again');
      });
    } finally {
      await endTrainers(folder);
      await removeFolder(folder);
    }
  },
);

async function beginTraining(workbench: Workbench): Promise<void> {
  await runCommand(workbench, 'Fivecrop: Train Model...');
  await chooseQuickPick(workbench, /flowers/);
  // The list is drawn in part only: filtered, the network is there.
  await quickInput(workbench).getByPlaceholder('Which network?').fill('ConvNet1');
  await chooseQuickPick(workbench, 'ConvNet1');
  await answerQuestion(workbench, /How many epochs/, String(epochs));
  await answerQuestion(workbench, /How many images a step/, '8');
  await chooseQuickPick(workbench, /Start Training/);
}

/** An input box takes the place of the one before it: its question says when it is there. */
async function answerQuestion(workbench: Workbench, question: RegExp, answer: string): Promise<void> {
  await quickInput(workbench).getByText(question).waitFor();
  await answerInput(workbench, answer);
}

async function findRun(folder: string): Promise<string> {
  const runs = join(folder, 'runs');
  await until(async () => existsSync(runs) && (await readdir(runs)).length > 0, 'the run has its folder');
  return join(runs, (await readdir(runs))[0] ?? '');
}

async function recordOf(run: string): Promise<RunRecord> {
  return runRecordSchema.parse(JSON.parse(await readFile(join(run, 'run.json'), 'utf8')));
}

/** The last step that the page has, as its table of latest values says; 0 before the first. */
async function lastStep(workbench: Workbench): Promise<number> {
  const cell = webview(workbench).locator('table', { hasText: 'Latest values' }).locator('tbody tr td').first();
  const text = await cell.textContent({ timeout: 5000 }).catch(() => '');
  return Number(text?.replace(/\D/g, '') ?? 0);
}

async function stepBeyond(workbench: Workbench, step: number): Promise<void> {
  await until(async () => (await lastStep(workbench)) > step, `the page shows a step beyond ${step}`);
}

/** The steps of all points that the page has, in their order: those that it exports. */
async function stepsInPage(workbench: Workbench, file: string): Promise<number[]> {
  await button(webview(workbench), 'CSV').click();
  await quickInput(workbench).locator('input').waitFor();
  await answerInput(workbench, file);
  await until(() => Promise.resolve(existsSync(file)), 'the points are exported');
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

async function assertClassifiedAsByCommand(workbench: Workbench, run: string): Promise<void> {
  const image = 'flowers/test/1/flower_51.jpg';
  const { stdout } = await fivecrop(['predict', join(workbench.folder, image), '--checkpoint', run, '--json']);
  const expected = imagePredictionSchema.parse(JSON.parse(stdout));
  await chooseInContextMenu(workbench, await explorerRowShown(workbench, image), 'Classify Image');
  const page = webview(workbench);
  await page.locator('article.crop').nth(4).waitFor();
  await screenshot(workbench, 'scenario-classification');
  const shown = await readPrediction(page);
  assert.deepEqual(shown, {
    mean: expected.mean.map(rounded),
    crops: expected.crops.map(({ crop, top }) => ({ crop, top: top.map(rounded) })),
  });
}

async function explorerRowShown(workbench: Workbench, path: string): Promise<Locator> {
  await workbench.page.keyboard.press('Control+Shift+E');
  return explorerRow(workbench, path);
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

function button(page: FrameLocator, name: string): Locator {
  return page.getByRole('button', { name, exact: true }).first();
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited two minutes until ${what}.`);
    await delay(100);
  }
}

/** Whatever happened, no trainer outlives the test. */
async function endTrainers(folder: string): Promise<void> {
  const runs = join(folder, 'runs');
  for (const name of existsSync(runs) ? await readdir(runs) : []) {
    const pid = await recordOf(join(runs, name)).then(
      (record) => record.process?.pid,
      () => undefined,
    );
    if (pid === undefined) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}
