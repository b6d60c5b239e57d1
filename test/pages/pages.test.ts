import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Locator } from 'playwright-core';
import sharp from 'sharp';
import { browserMissing, launchBrowser } from '../../scripts/host/browser.ts';
import { parseCsv } from '../../src/protocol/csv.ts';
import type { CleaningPanelToHost } from '../../src/protocol/cleaningPanel.ts';
import type { DryRunPanelToHost } from '../../src/protocol/dryRunPanel.ts';
import type { EvaluationPanelToHost } from '../../src/protocol/evaluationPanel.ts';
import type { FeatureMapPanelToHost } from '../../src/protocol/featureMapPanel.ts';
import type { LabellingPanelToHost } from '../../src/protocol/labellingPanel.ts';
import type { PredictionPanelToHost } from '../../src/protocol/predictionPanel.ts';
import type { SweepPanelToHost } from '../../src/protocol/sweepPanel.ts';
import type { Precision } from '../../src/protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../src/protocol/trainingEvents.ts';
import type { TrainingPanelToHost } from '../../src/protocol/trainingPanel.ts';
import { faintTexts } from './contrast.ts';
import { exportsWithPages, openExport } from './exportedPages.ts';
import {
  assertPagesAreBuilt,
  keepPicture,
  openPage,
  pageScreenshot,
  type OpenedPage,
  type PageOptions,
} from './openPage.ts';
import {
  flowerPicture,
  sampleClasses,
  sampleCleaning,
  sampleComparison,
  sampleEvaluation,
  sampleEvents,
  sampleExplanation,
  sampleFeatureMap,
  sampleLabelling,
  samplePredictions,
  sampleProbabilities,
  sampleRun,
  sampleTrials,
} from './samples.ts';
import { hostileName, servedToken, serveHostileNames } from './servedPage.ts';
import { until } from '../e2e/until.ts';

/** The pages without a workbench: a made-up host sends messages, under the policy that panels have. */

const skip = browserMissing();
const looks = [
  { theme: 'light', width: 1280, height: 900 },
  { theme: 'dark', width: 2000, height: 1100 },
  { theme: 'highContrast', width: 1000, height: 800 },
  { theme: 'highContrastLight', width: 2560, height: 1300 },
  { theme: 'highContrastLight', width: 400, height: 800 },
  { theme: 'dark', width: 300, height: 700 },
] as const;

let browser: Browser;
before(async () => {
  if (skip !== false) return;
  assertPagesAreBuilt();
  browser = await launchBrowser();
});
after(async () => {
  if (skip === false) await browser.close();
});

const frozen = sampleRun('resnet18-head', 'running', {});
const whole = sampleRun('resnet18-full', 'finished', { method: 'full', learningRate: 0.0001 });
const deep = sampleRun('densenet169-head', 'stopped', { network: { kind: 'architecture', name: 'densenet169' } });

type Look = Partial<Pick<PageOptions<unknown>, 'theme' | 'width' | 'height' | 'state'>>;

function openTraining(look: Look = {}, events = sampleEvents('resnet18-head', 260, 1, 1)) {
  const all: [typeof frozen, TrainingEvent[]][] = [
    [frozen, events],
    [whole, sampleEvents('resnet18-full', 450, 2, 0.7)],
    [deep, sampleEvents('densenet169-head', 200, 3, 1.4)],
  ];
  return openPage<TrainingPanelToHost>(browser, {
    ...look,
    name: 'training',
    answer: async (message, post) => {
      if (message.type === 'picture') {
        await post({
          type: 'picture',
          image: message.image,
          picture: flowerPicture(message.image.length + Number(message.image.at(-5))),
        });
      } else if (message.type === 'compare') {
        const { folders, crops, common } = message.wish;
        const names = folders.map((folder) => folder.replace(/^.*\//u, ''));
        const different = { kind: 'different', reason: 'They were tested on different images.', common: 12 };
        // With five crops they were tested on different images.
        const result = crops === 5 && !common ? different : { kind: 'compared', comparison: sampleComparison(names) };
        await post({ type: 'comparison', wish: message.wish, result });
      } else if (message.type === 'ready' || message.type === 'show') {
        const folders = message.type === 'show' ? message.folders : all.map(([run]) => run.folder);
        const shown = folders.flatMap((folder) => all.filter(([run]) => run.folder === folder));
        await post({
          type: 'runs',
          shown: shown.map(([run]) => run),
          others: [{ folder: '/runs/older', name: 'older' }],
        });
        for (const [{ folder }, known] of shown) await post({ type: 'events', folder, from: 0, events: known });
      }
    },
  });
}

/** A host with these images, of which `failed` could not be read and `left` are not classified; it obeys the page. */
function openPrediction(
  look: Look = {},
  count = 400,
  { crops = 5, left = 0, precision = 'float32' }: { crops?: 1 | 5; left?: number; precision?: Precision } = {},
) {
  const predictions = samplePredictions(count);
  const failed = [{ image: '/data/flowers/broken.jpg', error: 'It ends in the middle of its data.' }];
  const rest = Array.from({ length: left }, (_, index) => `/data/flowers/left_${index}.jpg`);
  let images = [...predictions.map(({ prediction: { image } }) => image), ...failed.map(({ image }) => image), ...rest];
  const sources = [
    { id: 'a', label: 'resnet18-head: best', description: '94.2 %' },
    { id: 'b', label: 'ResNet-101', description: 'ImageNet' },
  ];
  return openPage<PredictionPanelToHost>(browser, {
    ...look,
    name: 'prediction',
    answer: async (message, post) => {
      if (message.type === 'preview') {
        await post({
          type: 'preview',
          image: message.image,
          picture: flowerPicture(Number(message.image.slice(-9, -4)), 1600, 1200),
        });
      } else if (message.type === 'remove') {
        images = images.filter((image) => image !== message.image);
        await post({ type: 'images', images });
      } else if (message.type === 'explain') {
        const { image, index } = message;
        await post({ type: 'explaining', image, index, what: 'Looking', done: 1, total: 5 });
        if (index === 1) return;
        await post({ type: 'explanation', explanation: sampleExplanation(image, index), precision });
      } else if (message.type === 'crops') {
        await post({ type: 'setup', sources, source: 'a', crops: message.crops, wholeImages: false, topK: 5 });
      } else if (message.type === 'ready') {
        await post({ type: 'setup', sources, source: 'a', crops, wholeImages: false, topK: 5 });
        await post({ type: 'classes', classes: sampleClasses(102) });
        await post({ type: 'clear' });
        await post({ type: 'images', images });
        await post({ type: 'results', predictions, failed });
        await post({ type: 'progress', busy: false, what: '', done: 0, total: 0 });
        if (left > 0) await post({ type: 'error', message: 'The process that classifies ended.' });
      }
    },
  });
}

function openEvaluation(look: Look = {}, classes = 8, imagesOfEach = 20, refusal?: string) {
  return openPage<EvaluationPanelToHost>(browser, {
    ...look,
    name: 'evaluation',
    answer: async (message, post) => {
      if (message.type === 'picture') {
        await post({
          type: 'picture',
          image: message.image,
          picture: flowerPicture(message.image.length * 31 + Number(message.image.at(-5))),
        });
      } else if (message.type === 'ready') {
        const evaluations = ([5, 1] as const).map((crops) => sampleEvaluation(classes, crops, imagesOfEach));
        await post({ type: 'evaluations', label: 'resnet18-head: best', wholeImages: false, evaluations, refusal });
      } else if (message.type === 'probabilities') {
        const { time, crops } = message;
        const known = classes * classes * imagesOfEach < 2_000_000;
        const evaluation = sampleEvaluation(classes, crops, imagesOfEach);
        await post({ type: 'probabilities', time, crops, ...(known && { probabilities: sampleProbabilities(evaluation) }) }); // prettier-ignore
      } else if (message.type === 'chooseTable') {
        const rows = sampleEvaluation(classes, 5, imagesOfEach).results.slice(10);
        const cells = rows.map(({ image }, at) => [image.replace('/data/flowers/', ''), [['phone', 'mirror'][at % 2]]]);
        const table = { file: '/data/photos.csv', columns: ['camera'], rows: [...cells, ['gone.jpg', ['phone']]] };
        await post({ type: 'table', table });
      }
    },
  });
}

const sampleSweep = {
  ...{ type: 'sweep', name: 'heads', rungs: [3, 9], images: 612 },
  dimensions: [
    { setting: 'learningRate', low: 0.0001, high: 0.01, isLog: true, isWhole: false },
    { setting: 'hidden', values: [[], [512], [1024, 256]] },
    { setting: 'batchSize', values: [16, 32, 64] },
    { setting: 'dropout', low: 0, high: 0.6, isLog: false, isWhole: false },
  ],
};

/** A sweep with so many trials, which runs. */
function openSweep(look: Look = {}, count = 60) {
  return openPage<SweepPanelToHost>(browser, {
    ...look,
    name: 'sweep',
    answer: async (message, post) => {
      if (message.type !== 'ready') return;
      await post({ ...sampleSweep, total: count, state: 'running' });
      await post({ type: 'trials', trials: sampleTrials(count) });
    },
  });
}

/** Opens a page, hands it to the scenario, and closes it whatever happens. No page may log an error. */
async function withPage<ToHost>(
  opening: Promise<OpenedPage<ToHost>>,
  scenario: (opened: OpenedPage<ToHost>) => Promise<void>,
) {
  const opened = await opening;
  try {
    await scenario(opened);
    assert.deepEqual(opened.problems, []);
  } finally {
    await opened.close();
  }
}

/** The page is not wider than its window. */
async function assertFits({ page }: { page: OpenedPage<unknown>['page'] }): Promise<void> {
  const [content, window] = await page.evaluate<[number, number]>('[document.documentElement.scrollWidth, innerWidth]');
  assert.ok(content <= window, `the page is ${content} pixels wide in a window of ${window}`);
}

for (const look of looks) {
  const name = `${look.theme}-${look.width}`;
  test(`every page fits its window and logs nothing: ${name}`, { skip }, async () => {
    await withPage(openTraining(look), async (opened) => {
      await opened.page.locator('.values tbody tr').nth(2).waitFor();
      await opened.page.locator('.pinned img[src]').nth(3).waitFor();
      await pageScreenshot(opened.page, `training-${name}`);
      await assertFits(opened);
    });
    await withPage(openPrediction(look), async (opened) => {
      await opened.page.locator('.detail .crop').nth(4).waitFor();
      await pageScreenshot(opened.page, `prediction-${name}`);
      await assertFits(opened);
    });
    await withPage(openEvaluation(look), async (opened) => {
      await opened.page.locator('.matrix td.wrong:not(:empty)').first().click();
      await opened.page.locator('.behind img[src]').first().waitFor();
      await pageScreenshot(opened.page, `evaluation-${name}`);
      await assertFits(opened);
    });
    await withPage(openCleaning({ ...look, state: { kind: 'duplicate' } }), async (opened) => {
      await opened.page.locator('.pair img[src]').nth(1).waitFor();
      await pageScreenshot(opened.page, `cleaning-${name}`);
      await assertFits(opened);
    });
    await withPage(openFeatureMap({ ...look, state: { selected: someMapped } }), async (opened) => {
      await opened.page.locator('.results img[src]').nth(5).waitFor();
      await opened.page.getByRole('application').focus();
      await opened.page.keyboard.press('ArrowRight');
      await opened.page.locator('.map-card img[src]').waitFor();
      await pageScreenshot(opened.page, `featureMap-${name}`);
      await assertFits(opened);
    });
    await withPage(openLabelling(look, 20), async (opened) => {
      await opened.page.locator('.pair img[src]').waitFor();
      await opened.page.getByRole('combobox', { name: 'Class' }).fill('ro');
      await pageScreenshot(opened.page, `labelling-${name}`);
      await assertFits(opened);
    });
    await withPage(openSweep(look), async (opened) => {
      await opened.page.locator('.bars .bar').nth(3).waitFor();
      await pageScreenshot(opened.page, `sweep-${name}`);
      await assertFits(opened);
    });
  });
}

for (const theme of ['light', 'dark', 'highContrast', 'highContrastLight'] as const) {
  test(`the texts of all pages can be read: ${theme}`, { skip }, async () => {
    await withPage(openTraining({ theme, state: { further: true } }), async ({ page }) => {
      await page.locator('.values tbody tr').nth(2).waitFor();
      await page.locator('.pinned img[src]').nth(3).waitFor();
      const { x, y } = await boxOf(page.locator('.chart .u-over').first());
      await page.mouse.move(x + 200, y + 50);
      await page.locator('.readout').first().waitFor();
      assert.deepEqual(await faintTexts(page), []);
      await page.locator('.values-section vscode-dropdown').click();
      await page.locator('vscode-option', { hasText: 'older' }).waitFor();
      assert.deepEqual(await faintTexts(page), []);
    });
    await withPage(openPrediction({ theme }, 20, { left: 1 }), async ({ page }) => {
      await page.locator('.detail .crop').nth(4).waitFor();
      await page.locator('.badge').first().hover();
      assert.deepEqual(await faintTexts(page), []);
    });
    await withPage(openEvaluation({ theme }, 8, 20, 'Testing waits.'), async ({ page }) => {
      await page.locator('.matrix td.wrong:not(:empty)').first().click();
      await page.locator('.behind img[src]').first().waitFor();
      assert.deepEqual(await faintTexts(page), []);
    });
    await withPage(openCleaning({ theme }), async ({ page }) => {
      await page.getByRole('listbox', { name: 'Images' }).focus();
      await page.locator('.pair img[src]').first().waitFor();
      assert.deepEqual(await faintTexts(page), []);
    });
    await withPage(openFeatureMap({ theme, state: { selected: someMapped, apart: ['1'] } }), async ({ page }) => {
      await page.locator('.results img[src]').first().waitFor();
      await page.getByRole('application').focus();
      await page.keyboard.press('ArrowRight');
      await page.locator('.map-card img[src]').waitFor();
      assert.deepEqual(await faintTexts(page), []);
    });
    await withPage(openLabelling({ theme }, 20), async ({ page }) => {
      await page.locator('.pair img[src]').first().waitFor();
      await page.getByRole('combobox', { name: 'Class' }).fill('ro');
      assert.deepEqual(await faintTexts(page), []);
    });
    await withPage(openSweep({ theme }), async ({ page }) => {
      await page.locator('.bars .bar').nth(3).waitFor();
      assert.deepEqual(await faintTexts(page), []);
    });
  });
}

test('the test of a network that sees whole images says so, and offers no five crops', { skip }, async () => {
  const evaluation = { ...sampleEvaluation(8, 1), fit: 'pad' as const };
  await withPage(openEvaluation(), async ({ page, sent, post }) => {
    const cards = page.locator('.figure-cards h2');
    await cards.nth(1).waitFor();
    assert.deepEqual(await cards.allTextContents(), ['Five crops', 'Center crop']);
    const message = { type: 'evaluations', label: 'resnet18-head: best', wholeImages: true };
    await post({ ...message, evaluations: [evaluation] });
    await cards.getByText('Whole image').waitFor();
    assert.equal(await cards.count(), 1);
    await page.getByRole('region', { name: 'Confusions' }).getByRole('button', { name: 'SVG' }).click();
    await until('the picture is exported', () => sent.some(({ type }) => type === 'export'));
    const picture = sent.flatMap((one) => (one.type === 'export' ? [one.content] : [])).join('');
    assert.match(picture, /flowers \(test\), whole image, tested /);
    await post({ ...message, evaluations: [] });
    await page.getByText('Not tested yet.').waitFor();
    assert.deepEqual(await cards.allTextContents(), ['Whole image']);
  });
});

test('where a network sees whole images, no crops are offered to choose', { skip }, async () => {
  await withPage(openPrediction({}, 3), async ({ page, post }) => {
    const crops = page.locator('vscode-dropdown').nth(1);
    await crops.filter({ hasText: 'Five crops' }).waitFor();
    const setup = { type: 'setup', sources: [], source: '', crops: 5, topK: 5 };
    await post({ ...setup, wholeImages: true });
    await crops.waitFor({ state: 'hidden' });
    await post({ ...setup, wholeImages: false });
    await crops.waitFor({ state: 'visible' });
  });
});

test(
  'a click on Stop is answered before the host does anything, and a second one ends the run at once',
  { skip },
  async () => {
    await withPage(openTraining(), async ({ page, heard, post }) => {
      await page.locator('.values tbody tr').nth(2).waitFor();
      const asked = await page.evaluate<{ state: string; buttons: [string, boolean][] }>(clickOn('Stop'));
      assert.equal(asked.state, '· Stopping…');
      assert.deepEqual(asked.buttons.slice(0, 2), [
        ['Pause', true],
        ['Stop Now', false],
      ]);
      await post({ type: 'runs', shown: [{ ...frozen, asked: 'stop' }], others: [] });
      await page.getByRole('button', { name: 'Stop Now' }).click();
      assert.deepEqual((await heard()).slice(-2), [
        { type: 'stop', folder: frozen.folder },
        { type: 'stopNow', folder: frozen.folder },
      ]);
    });
  },
);

test('a click on Pause is answered before the host does anything; what failed is offered again', { skip }, async () => {
  await withPage(openTraining(), async ({ page, post }) => {
    await page.locator('.values tbody tr').nth(2).waitFor();
    const asked = await page.evaluate<{ state: string; buttons: [string, boolean][] }>(clickOn('Pause'));
    assert.equal(asked.state, '· Pausing…');
    assert.deepEqual(asked.buttons[0], ['Pause', true]);
    await post({ type: 'runs', shown: [frozen], others: [] });
    await page.getByText('▶ Running').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Pause' }).isDisabled(), false);
  });
});

/** Clicks a button, and says after the very next frame what the page shows. */
function clickOn(label: string): string {
  return `(async () => {
    const buttons = () => [...document.querySelectorAll('.run-header vscode-button')];
    buttons().find((button) => button.textContent === ${JSON.stringify(label)}).click();
    await new Promise((resolve) => requestAnimationFrame(resolve));
    return {
      state: document.querySelector('.state').textContent,
      buttons: buttons().map((button) => [button.textContent, button.hasAttribute('disabled')]),
    };
  })()`;
}

test('the end of a run offers what can be done next, and nothing that cannot work', { skip }, async () => {
  const ended = { ...frozen, record: { ...frozen.record, state: 'failed' as const, reason: 'The disk is full.' } };
  await withPage(openTraining(), async ({ page, heard, post }) => {
    await page.locator('.values tbody tr').nth(2).waitFor();
    await post({ type: 'runs', shown: [ended], others: [] });
    await page.getByText('The disk is full.').waitFor();
    for (const name of ['Resume', 'Test', 'Classify', 'Export', 'Train Again with These Settings…', 'Configuration']) {
      await page.locator('.run-header').getByRole('button', { name, exact: true }).click();
    }
    assert.deepEqual(
      (await heard()).slice(-6).map(({ type }) => type),
      ['resume', 'test', 'classify', 'exportModel', 'trainAgain', 'configuration'],
    );
    await post({ type: 'runs', shown: [{ ...ended, usable: false }], others: [] });
    await page.getByRole('button', { name: 'Resume' }).waitFor({ state: 'hidden' });
    const left = await page.locator('.run-header vscode-button').allTextContents();
    assert.deepEqual(left, ['Start Again', 'Train Again with These Settings…', 'Configuration']);
    await post({ type: 'runs', shown: [{ ...frozen, brokenOff: true }], others: [] });
    await page.getByText('Interrupted').first().waitFor();
    assert.equal(await page.getByRole('button', { name: 'Pause' }).count(), 0);
    await page.getByRole('button', { name: 'Resume' }).click();
    assert.deepEqual((await heard()).at(-1), { type: 'resume', folder: frozen.folder });
  });
});

test('a new step shows in the page, and a gap in the events asks for all again', { skip }, async () => {
  const events = sampleEvents('resnet18-head', 260, 1, 1);
  await withPage(openTraining({}, events), async ({ page, sent, post }) => {
    await page.locator('.values tbody tr').nth(2).waitFor();
    const last = events.findLast(({ event }) => event === 'step');
    const next = { ...last, step: 261, loss: 0.1234 };
    await post({ type: 'events', folder: frozen.folder, from: events.length, events: [next] });
    await page.locator('.values tbody tr').first().getByText('0.1234').waitFor();
    assert.equal(sent.filter(({ type }) => type === 'ready').length, 1);
    await post({ type: 'events', folder: frozen.folder, from: events.length + 5, events: [next] });
    await until('the page begins anew', () => sent.filter(({ type }) => type === 'ready').length === 2);
  });
});

test('page and exports tell training from validation and top-1 from top-5', { skip }, async () => {
  await withPage(openTraining(), async ({ page, sent }) => {
    await page.locator('.values tbody tr').nth(2).waitFor();
    const curves = page.getByRole('region', { name: 'Curves' });
    for (const format of ['PNG', 'SVG', 'CSV']) await curves.getByRole('button', { name: format }).click();
    const exported = () =>
      new Map(sent.flatMap((message) => (message.type === 'export' ? [[message.format, message.content]] : [])));
    await until('three files are exported', () => exported().size === 3);
    const png = Buffer.from(exported().get('png') ?? '', 'base64');
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    const picture = exported().get('svg') ?? '';
    assert.match(picture, /^<svg .*<\/svg>$/s);
    const drawn = [...picture.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
    const inPage = await page.locator('.chart-legend li').allTextContents();
    for (const title of ['resnet18 head', 'resnet18 full', 'densenet169 head']) {
      for (const what of ['Training loss', 'Validation loss', 'Top-1 accuracy', 'Top-5 accuracy']) {
        const label = `${title}: ${what}`;
        assert.ok(drawn.includes(label), `${label} in the picture`);
        assert.ok(inPage.includes(label), `${label} in the page`);
      }
    }
    for (const title of ['Step', 'Loss', 'Accuracy']) assert.ok(drawn.includes(title), title);
    const data = /^flowers: 8 classes, 2.880 images to train on, 400 images for validation$/u;
    assert.ok(
      drawn.some((text) => data.test(text ?? '')),
      drawn.join('\n'),
    );
    // What the PNG is drawn from is the same picture: as wide, at twice the pixels.
    assert.equal(png.readUInt32BE(16), 2 * Number(/width="(\d+)"/.exec(picture)?.[1]));
    const [heading, ...rows] = (exported().get('csv') ?? '').trim().split('\r\n');
    assert.match(heading ?? '', /trainingLoss.*validationLoss,validationTop1Accuracy,validationTop5Accuracy/);
    assert.equal(rows.filter((row) => row.includes(',step,')).length, 260 + 450 + 200);
  });
});

test('with five classes there is no top-5, in the page or in exports', { skip }, async () => {
  const events = sampleEvents('resnet18-head', 100, 1, 1).map((event) =>
    event.event === 'start' ? { ...event, classes: 5 } : event,
  );
  await withPage(openTraining({}, events), async ({ page, sent, post }) => {
    await page.locator('.values tbody tr').nth(2).waitFor();
    await post({ type: 'runs', shown: [frozen], others: [] });
    await page.locator('.chart-legend li', { hasText: /^Top-1 accuracy$/ }).waitFor();
    for (const format of ['SVG', 'CSV']) await page.getByRole('button', { name: format, exact: true }).click();
    await until('both pictures are exported', () => sent.filter(({ type }) => type === 'export').length === 2);
    for (const message of sent) if (message.type === 'export') assert.doesNotMatch(message.content, /top-?5/i);
    assert.doesNotMatch(await page.locator('main').innerText(), /top-?5/i);
  });
});

test(
  'learning rate, speed and the norm of the gradients unfold; a norm that no run says has no chart',
  { skip },
  async () => {
    const silent = sampleEvents('resnet18-head', 260, 1, 1).map((event) =>
      event.event === 'step' ? { ...event, gradientNorm: undefined } : event,
    );
    await withPage(openTraining({}, silent), async ({ page, post }) => {
      await page.locator('.values tbody tr').nth(2).waitFor();
      const drawn = page.locator('.curves details .chart-block:visible').filter({ has: page.locator('.u-over') });
      assert.equal(await drawn.count(), 0);
      await page.getByText('Learning rate, speed and gradient norm', { exact: true }).click();
      await drawn.nth(2).waitFor();
      assert.deepEqual(await drawn.locator('h2').allTextContents(), [
        'Learning rate',
        'Images per second',
        'Gradient norm',
      ]);
      const named = await drawn.nth(2).locator('.chart-legend li').allTextContents();
      assert.deepEqual(named, ['resnet18 full: Gradient norm', 'densenet169 head: Gradient norm', 'End of an epoch']);
      await pageScreenshot(page, 'training-further');
      await post({ type: 'runs', shown: [frozen], others: [] });
      await drawn.nth(2).waitFor({ state: 'detached' });
      assert.deepEqual(await drawn.locator('h2').allTextContents(), ['Learning rate', 'Images per second']);
    });
  },
);

test('the values at the cursor are read by mouse and by keys, on the axis that was chosen', { skip }, async () => {
  await withPage(openTraining(), async ({ page }) => {
    await page.locator('.values tbody tr').nth(2).waitFor();
    const { x, y } = await boxOf(page.locator('.chart .u-over').first());
    await page.mouse.move(x + 200, y + 50);
    await page
      .locator('.readout', { hasText: /^Step \d+.*resnet18 head: Validation loss/ })
      .first()
      .waitFor();
    await page.locator('caption', { hasText: 'Values at step' }).waitFor();
    await page.mouse.move(x + 200, y - 100);
    await page.locator('.readout').first().waitFor({ state: 'hidden' });
    await page.locator('.chart').first().focus();
    for (let presses = 0; presses < 3; presses++) await page.keyboard.press('ArrowRight');
    await page.locator('.spoken', { hasText: /Step \d+, resnet18 head: Training loss/ }).waitFor();
    await page.getByRole('combobox', { name: 'Horizontal axis' }).click();
    await page.getByRole('option', { name: 'Time' }).click();
    await page.locator('.chart').first().focus();
    const onTime = page.locator('.readout', { hasText: /^After \d+ (s|min)/ }).first();
    // The chart is made anew for another axis, and has no cursor then.
    await until('the values are read on the axis of time', async () => {
      await page.keyboard.press('ArrowRight');
      return onTime.isVisible();
    });
  });
});

test('the first point of a run is a dot that can be seen', { skip }, async () => {
  const events = sampleEvents('resnet18-head', 1, 1, 1);
  await withPage(openTraining({}, events), async ({ page, post }) => {
    await page.locator('.values tbody tr').nth(2).waitFor();
    await post({ type: 'runs', shown: [frozen], others: [] });
    await page.locator('.chart-legend li', { hasText: /^Training loss$/ }).waitFor();
    await until('a dot of at least six pixels is drawn', async () => (await page.evaluate<number>(widestInk)) >= 6);
  });
});

/** How many pixels of one row of the first chart, right of its axis, have another colour than what is around them. */
const widestInk = `(() => {
  const canvas = document.querySelector('.chart canvas');
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const isColored = (at) => Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]) > 60;
  let widest = 0;
  for (let y = 0; y < height; y++) {
    let count = 0;
    for (let x = 80; x < width; x++) if (data[4 * (y * width + x) + 3] > 128 && isColored(4 * (y * width + x))) count++;
    widest = Math.max(widest, count);
  }
  return widest;
})()`;

test('the page comes back scrolled as it was left', { skip }, async () => {
  await withPage(openTraining({ state: { scroll: 700 } }), async ({ page }) => {
    await until('the page is where it was', async () => (await page.evaluate<number>('scrollY')) === 700);
    await page.mouse.wheel(0, -300);
    await until('the place is kept', async () => (await page.evaluate<number>('fivecropState.scroll')) === 400);
  });
});

/** Where a chart lies; a change of its scale draws it anew, and for a moment there is none. */
async function boxOf(chart: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  await until('the chart is drawn', async () => (await chart.boundingBox()) !== null);
  const box = await chart.boundingBox();
  assert.ok(box !== null);
  return box;
}

test(
  'smoothing, log scale and zoom are kept for the next life of the page, and there is a way back',
  { skip },
  async () => {
    await withPage(openTraining(), async ({ page }) => {
      await page.locator('.values tbody tr').nth(2).waitFor();
      await page.getByRole('checkbox', { name: 'Logarithmic loss' }).click();
      const chart = page.locator('.chart .u-over').first();
      const { x, y } = await boxOf(chart);
      await page.mouse.move(x + 100, y + 50);
      await page.mouse.down();
      await page.mouse.move(x + 300, y + 60, { steps: 4 });
      await page.mouse.up();
      await page.getByRole('button', { name: 'Show all', disabled: false }).waitFor();
      const state = await page.evaluate<{
        panel: string;
        logScale: boolean;
        zoom: { min: number; max: number };
      }>('window.fivecropState');
      assert.equal(state.panel, 'sample-panel');
      assert.equal(state.logScale, true);
      assert.ok(state.zoom.min > 0 && state.zoom.max < 450 && state.zoom.min < state.zoom.max);
      await chart.dblclick();
      await page.getByRole('button', { name: 'Show all', disabled: true }).waitFor();
      await page.getByRole('button', { name: 'Zoom in' }).click();
      await page.getByRole('button', { name: 'Show all', disabled: false }).click();
      await page.getByRole('button', { name: 'Show all', disabled: true }).waitFor();
    });
  },
);

test('a hundred thousand steps are drawn, and steps that follow keep coming', { skip }, async (context) => {
  const events = sampleEvents('resnet18-head', 100_000, 1, 0.002).filter(
    ({ event }) => event === 'step' || event === 'start',
  );
  await withPage(openTraining({}, []), async ({ page, post }) => {
    // The last of what the host replays has come.
    await page.locator('.values tbody tr').nth(2).getByText('200', { exact: true }).waitFor();
    const sentAt = Date.now();
    for (let from = 0; from < events.length; from += 10_000) {
      await post({ type: 'events', folder: frozen.folder, from, events: events.slice(from, from + 10_000) });
    }
    const row = page.locator('.values tbody tr').first();
    await row.getByText(/^100\s000$/).waitFor();
    context.diagnostic(`100 000 steps sent and drawn in ${Date.now() - sentAt} ms`);
    const frames = await page.evaluate<number[]>(appendingFrames(frozen.folder, events.length, events.at(-1)));
    const sorted = frames.toSorted((a, b) => a - b);
    context.diagnostic(
      `a step every frame after that: median ${sorted[sorted.length >> 1]?.toFixed(1)} ms, worst ${sorted.at(-1)?.toFixed(1)} ms of work a frame`,
    );
    await row.getByText(/^100\s060$/).waitFor();
  });
});

/** Appends a step in each of 60 frames and measures from the message to the end of the frame that draws it. */
function appendingFrames(folder: string, from: number, last: TrainingEvent | undefined): string {
  return `(async () => {
    const frames = [];
    for (let index = 0; index < 60; index++) {
      const event = { ...${JSON.stringify(last)}, step: 100001 + index };
      const began = performance.now();
      window.dispatchEvent(new MessageEvent('message', { data: { type: 'events', folder: ${JSON.stringify(folder)}, from: ${from} + index, events: [event] } }));
      const taken = performance.now() - began;
      const drawn = await new Promise((resolve) => requestAnimationFrame(() => { const start = performance.now(); setTimeout(() => resolve(performance.now() - start)); }));
      frames.push(taken + drawn);
    }
    return frames;
  })()`;
}

test('four hundred images are a list of some rows, walked by keys, filtered and exported', { skip }, async () => {
  await withPage(openPrediction(), async ({ page, heard }) => {
    await page.locator('.detail .crop').nth(4).waitFor();
    assert.ok((await page.locator('.list-row').count()) < 40);
    await page.getByRole('listbox', { name: 'Images' }).focus();
    await page.keyboard.press('End');
    await page.getByRole('heading', { name: 'image_00399.jpg' }).waitFor();
    await page.getByRole('textbox', { name: 'Filter by file or class' }).fill('broken');
    await page.locator('.row.failed').waitFor();
    assert.equal(await page.locator('.list-row').count(), 1);
    await page.getByRole('button', { name: 'CSV' }).click();
    const exported = (await heard()).at(-1);
    assert.equal(exported?.type === 'exportCsv' ? exported.content.split('\r\n').length : 0, 3);
  });
});

test(
  'with the centre crop nothing is offered that compares crops, and its ranking comes from the five',
  { skip },
  async () => {
    await withPage(openPrediction({}, 60), async ({ page, heard }) => {
      await page.locator('.detail .crop').nth(4).waitFor();
      await page.getByRole('checkbox', { name: 'Crops disagree' }).click();
      await page.locator('vscode-dropdown[aria-label="Crops"]').click();
      await page.getByRole('option', { name: 'Center crop' }).click();
      await page.getByRole('checkbox', { name: 'Crops disagree' }).waitFor({ state: 'hidden' });
      await page
        .locator('.counted')
        .getByText(/^61 images/)
        .waitFor();
      assert.equal(await page.locator('.crop').count(), 0);
      await page.locator('.card.mean').getByText('Center crop').waitFor();
      assert.deepEqual(
        (await heard()).map(({ type }) => type).filter((type) => type === 'crops' || type === 'classify'),
        ['crops'],
      );
    });
  },
);

test('the one crop of a network that sees whole images is called so', { skip }, async () => {
  const [sample] = samplePredictions(1);
  assert.ok(sample);
  const { width, height, crops } = sample.prediction;
  const whole = crops.slice(0, 1).map((crop) => ({ ...crop, frame: { left: 0, top: 0, width, height } }));
  await withPage(openPrediction({}, 1), async ({ page, post }) => {
    await page.locator('.detail .crop').nth(4).waitFor();
    const shown = { ...sample, prediction: { ...sample.prediction, crops: whole } };
    await post({ type: 'results', predictions: [shown], failed: [] });
    await page.locator('.card.mean').getByText('Whole image').waitFor();
    assert.match((await page.locator('.badge').getAttribute('aria-label')) ?? '', /^Crop 1, whole image: /);
    assert.doesNotMatch(await page.locator('.detail').innerText(), /center/i);
  });
});

test('a list that a filter leaves empty says why', { skip }, async () => {
  await withPage(openPrediction({}, 3), async ({ page }) => {
    await page.locator('.detail .crop').nth(4).waitFor();
    await page.getByRole('textbox', { name: 'Filter by file or class' }).fill('nowhere');
    await page.getByText('There is no image with “nowhere” in its name or class.').waitFor();
    await page.getByRole('checkbox', { name: 'Crops disagree' }).click();
    await page.getByText('The crops of every image with “nowhere” in its name or class agree.').waitFor();
  });
});

test('after a failure the images are still there, and what is left is tried again on request', { skip }, async () => {
  await withPage(openPrediction({}, 3, { left: 2 }), async ({ page, sent }) => {
    await page.getByText('The process that classifies ended.').waitFor();
    await page.getByText('2 images are not classified.').waitFor();
    assert.equal(await page.locator('.list-row').count(), 6);
    assert.equal(await page.locator('.drop-zone').isVisible(), false);
    await page.getByRole('status').getByText('3 images classified, 1 could not be read, 2 not classified').waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await until('the images are classified', () => sent.at(-1)?.type === 'classify');
  });
});

test('Delete takes the selected image off the list, and the next one is selected', { skip }, async () => {
  await withPage(openPrediction({}, 6), async ({ page, heard }) => {
    await page.locator('.detail .crop').nth(4).waitFor();
    await page.locator('.list-row').nth(2).click();
    await page.getByRole('heading', { name: 'image_00001.jpg' }).waitFor();
    await page.keyboard.press('Delete');
    await page.getByRole('heading', { name: 'image_00002.jpg' }).waitFor();
    assert.deepEqual(
      (await heard()).findLast(({ type }) => type === 'remove'),
      { type: 'remove', image: '/data/flowers/image_00001.jpg' },
    );
    await page
      .locator('.counted')
      .getByText(/^6 images/)
      .waitFor();
  });
});

test(
  'images tell the editor for its context menu which they are, by mouse and by keyboard, and text fields keep theirs',
  { skip },
  async () => {
    await withPage(openPrediction({}, 3), async ({ page }) => {
      await page.locator('.detail .crop').nth(4).waitFor();
      const context = async (selector: string) =>
        JSON.parse((await page.locator(selector).first().getAttribute('data-vscode-context')) ?? '{}') as unknown;
      const first = { webviewSection: 'image', image: '/data/flowers/image_00000.jpg' };
      await page.locator('.list-row', { hasText: 'image_00000.jpg' }).click({ button: 'right' });
      await page.getByRole('heading', { name: 'image_00000.jpg' }).waitFor();
      assert.deepEqual(await context('.list-row[aria-selected="true"]'), first);
      assert.deepEqual(await context('.list'), first);
      assert.deepEqual(await context('.detail'), first);
      assert.deepEqual(await context('body'), { preventDefaultContextMenuItems: true });
      assert.deepEqual(await context('vscode-text-field'), { preventDefaultContextMenuItems: false });
    });
    await withPage(openEvaluation(), async ({ page }) => {
      const card = page.locator('.results .card').first();
      const context = JSON.parse((await card.getAttribute('data-vscode-context')) ?? '{}') as { image: string };
      assert.match(context.image, /^\/data\/flowers\/test/);
    });
  },
);

test('the numbers on the picture set a crop off as the cards do: by pointer, focus and click', { skip }, async () => {
  await withPage(openPrediction({}, 3), async ({ page }) => {
    await page.locator('.detail .crop').nth(4).waitFor();
    const badge = page.locator('.badge').nth(2);
    const card = page.locator('.crop').nth(2);
    const setOff = page.locator('.frame.highlighted');
    await badge.hover();
    await page.locator('.frame-3.highlighted').waitFor();
    await card.and(page.locator('.highlighted')).waitFor();
    await page.mouse.move(0, 0);
    await setOff.waitFor({ state: 'detached' });
    await badge.focus();
    await page.locator('.frame-3.highlighted').waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.list').focus();
    await page.locator('.frame-3.highlighted').waitFor();
    assert.equal(await badge.getAttribute('aria-pressed'), 'true');
    await card.getByRole('button').click();
    await page.locator('.list').focus();
    await page.mouse.move(0, 0);
    await setOff.waitFor({ state: 'detached' });
  });
});

test(
  'list, details and test results are scrolled to where they were when their tab is come back to',
  { skip },
  async () => {
    const scrolledTo = (selector: string, top: number) => `document.querySelector('${selector}').scrollTop = ${top}`;
    const look = { width: 1000, height: 500 };
    let state: unknown;
    await withPage(openPrediction(look, 200), async ({ page }) => {
      await page.locator('.detail .crop').nth(4).waitFor();
      await page.locator('.list-row', { hasText: 'image_00002.jpg' }).click();
      await page.getByRole('heading', { name: 'image_00002.jpg' }).waitFor();
      await page.evaluate(scrolledTo('.list', 3000));
      await page.evaluate(scrolledTo('.detail-place', 150));
      await until('the page keeps it', async () => {
        state = await page.evaluate('window.fivecropState');
        const { scroll } = state as { scroll: { list: number; detail: number } };
        return scroll.list === 3000 && scroll.detail === 150;
      });
    });
    await withPage(openPrediction({ ...look, state }, 200), async ({ page }) => {
      const at = (selector: string) => page.evaluate<number>(`document.querySelector('${selector}').scrollTop`);
      await page.locator('.detail .crop').nth(4).waitFor();
      await until(
        'both are there again',
        async () => (await at('.list')) === 3000 && (await at('.detail-place')) === 150,
      );
    });
    await withPage(openEvaluation(look), async ({ page }) => {
      await page.locator('.matrix td').first().waitFor();
      await page.evaluate('scrollTo(0, 700)');
      await until('the page keeps it', async () => {
        state = await page.evaluate('window.fivecropState');
        return (state as { scroll: { page: number } }).scroll.page === 700;
      });
    });
    await withPage(openEvaluation({ ...look, state }), async ({ page }) => {
      await until('it is there again', async () => (await page.evaluate<number>('scrollY')) === 700);
    });
  },
);

test('a crop that says another class than the mean says so in words', { skip }, async () => {
  await withPage(openPrediction({}, 60), async ({ page }) => {
    await page.getByRole('checkbox', { name: 'Crops disagree' }).click();
    await page.locator('.row').first().click();
    const verdicts = page.locator('.crop.disagrees .crop-verdict');
    await verdicts.first().waitFor();
    for (const verdict of await verdicts.allTextContents()) assert.match(verdict, /^≠ says /);
  });
});

test('uris dropped on the page go to the host', { skip }, async () => {
  await withPage(openPrediction({}, 1), async ({ page, sent }) => {
    await page.locator('.detail .crop').nth(4).waitFor();
    await page.evaluate(`(() => {
      const transfer = new DataTransfer();
      transfer.setData('text/uri-list', '# flowers\\r\\nfile:///data/a.jpg\\r\\nfile:///data/b.jpg');
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    })()`);
    await until('the image arrives', () => sent.some(({ type }) => type === 'dropped'));
    assert.deepEqual(
      sent.find(({ type }) => type === 'dropped'),
      { type: 'dropped', uris: ['file:///data/a.jpg', 'file:///data/b.jpg'] },
    );
  });
});

test('the confusion matrix is walked by arrows and opens the images behind a cell', { skip }, async () => {
  await withPage(openEvaluation(), async ({ page, heard }) => {
    const start = page.locator('.matrix td[tabindex="0"]');
    await start.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^canterbury bells predicted as canterbury bells: \d+ image/ }).waitFor();
    await page.locator('.behind .picture-button').first().click();
    await page.locator('.behind .file button').first().click();
    assert.deepEqual(
      (await heard()).slice(-2).map(({ type }) => type),
      ['open', 'reveal'],
    );
  });
});

test(
  'the matrix shows counts or percent of its rows, and is exported as a picture that says what it is',
  { skip },
  async () => {
    await withPage(openEvaluation(), async ({ page, sent }) => {
      const diagonal = page.locator('.matrix td.right').first();
      await diagonal.getByText('18', { exact: true }).waitFor();
      await page.locator('vscode-dropdown[aria-label="Cells show"]').click();
      await page.getByRole('option', { name: 'Percent of the row' }).click();
      await diagonal.getByText('90', { exact: true }).waitFor();
      const confusions = page.getByRole('region', { name: 'Confusions' });
      for (const format of ['PNG', 'SVG']) await confusions.getByRole('button', { name: format }).click();
      const exported = () =>
        new Map(sent.flatMap((message) => (message.type === 'export' ? [[message.format, message.content]] : [])));
      await until('both files are exported', () => exported().size === 2);
      const png = Buffer.from(exported().get('png') ?? '', 'base64');
      assert.equal(png.subarray(1, 4).toString(), 'PNG');
      await keepPicture('confusions.png', png);
      const svg = exported().get('svg') ?? '';
      await keepPicture('confusions.svg', Buffer.from(svg));
      for (const said of [
        'resnet18-head: best',
        'flowers',
        'five crops',
        'Predicted class',
        'Actual class',
        'interval',
      ]) {
        assert.ok(svg.includes(said), said);
      }
    });
  },
);

test('the table of classes breaks no word at 400 pixels, and needs no scrolling sideways', { skip }, async () => {
  await withPage(openEvaluation({ width: 400 }), async ({ page }) => {
    const place = page.getByRole('region', { name: 'Classes' }).locator('.class-table');
    await place.locator('tbody tr').first().waitFor();
    const broken = await page.evaluate<string[]>(`(() => {
      const texts = document.createTreeWalker(document.querySelector('.class-table'), NodeFilter.SHOW_TEXT);
      const found = [];
      while (texts.nextNode()) {
        for (const { 0: word, index } of texts.currentNode.data.matchAll(/[^\\s-]+/gu)) {
          const range = new Range();
          range.setStart(texts.currentNode, index);
          range.setEnd(texts.currentNode, index + word.length);
          if (range.getClientRects().length > 1) found.push(word);
        }
      }
      return found;
    })()`);
    assert.deepEqual(broken, []);
    const widths =
      "(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])(document.querySelector('.class-table'))";
    const [content = NaN, shown = NaN] = await page.evaluate<number[]>(widths);
    assert.ok(content <= shown, `${content} pixels in ${shown}`);
    await pageScreenshot(page, 'evaluation-classes-400');
  });
});

test('classes are listed with precision, recall and F1, sorted by any, and exported', { skip }, async () => {
  await withPage(openEvaluation(), async ({ page, heard }) => {
    const section = page.getByRole('region', { name: 'Classes' });
    const first = section.locator('tbody tr').first();
    for (const heading of ['Precision', 'Recall', 'F1']) {
      await section.getByRole('button', { name: heading }).click();
      await section.locator('th[aria-sort="descending"], th[aria-sort="ascending"]').getByText(heading).waitFor();
    }
    assert.equal(await first.locator('td').count(), 6);
    assert.equal(await section.locator('tfoot tr').count(), 2);
    await section.getByRole('button', { name: 'CSV' }).click();
    const exported = (await heard()).at(-1);
    assert.ok(exported?.type === 'export' && exported.what === 'classes');
    assert.equal(exported.content.trim().split('\r\n').length, 9);
  });
});

/** Pixels that are not clear of one of the canvases that what was seen is drawn on. */
function drawnPixels(page: OpenedPage<unknown>['page'], place: number): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelectorAll('.heat')[${place}];
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, at) => at % 4 === 3 && value > 0).length;
  })()`);
}

test(
  'where a class was seen lies over the picture and each crop once it is asked for, as strongly as wanted',
  { skip },
  async () => {
    for (const { theme } of looks.slice(0, 4)) {
      await withPage(openPrediction({ theme }, 1, { precision: 'int8' }), async ({ page, heard }) => {
        const choice = page.locator('.looked vscode-dropdown');
        await choice.waitFor();
        assert.equal(await page.locator('.heat:visible').count(), 0);
        const choose = async (place: number) => {
          await choice.click();
          await choice.locator('vscode-option').nth(place).click();
        };
        await choose(1);
        await page
          .getByText(/^Bright areas are where .* was seen, by Grad-CAM.* but this is computed in float32/u)
          .waitFor();
        assert.equal(await page.locator('.heat:visible').count(), 6);
        for (const place of [0, 1, 5]) assert.ok((await drawnPixels(page, place)) > 1000);
        assert.deepEqual(await faintTexts(page), []);
        await pageScreenshot(page, `prediction-explained-${theme}`);
        if (theme !== 'dark') return;
        await page.getByRole('slider', { name: 'Opacity' }).fill('0');
        assert.equal(await drawnPixels(page, 0), 0);
        await choose(0);
        await page.locator('.heat:visible').first().waitFor({ state: 'detached' });
        assert.equal((await heard()).filter(({ type }) => type === 'explain').length, 1);
      });
    }
  },
);

test('any of a hundred classes can be looked for, found by its name or in the list of all', { skip }, async () => {
  for (const [theme, width] of [
    ['light', 400],
    ['highContrast', 1280],
  ] as const) {
    await withPage(openPrediction({ theme, width }, 1), async ({ page, heard }) => {
      const choice = page.locator('.looked vscode-dropdown');
      const field = page.getByRole('combobox', { name: 'Another class' });
      const chooseAnother = async () => {
        await choice.click();
        await choice.locator('vscode-option', { hasText: 'Another class…' }).click();
        await field.and(page.locator(':focus')).waitFor();
      };
      await chooseAnother();
      assert.equal(await page.getByRole('option', { name: /^flower |[(]\d+[)]$/u }).count(), 102);
      assert.deepEqual(await faintTexts(page), []);
      await pageScreenshot(page, `prediction-any-class-${theme}`);
      await page.keyboard.press('Escape');
      await field.waitFor({ state: 'hidden' });
      await chooseAnother();
      await page.keyboard.type('flower 77');
      await page.keyboard.press('Enter');
      await field.waitFor({ state: 'hidden' });
      await page.getByText(/^Bright areas are where /u).waitFor();
      assert.deepEqual(
        (await heard()).flatMap((message) => (message.type === 'explain' ? [message.index] : [])),
        [77],
      );
      assert.equal(await page.evaluate<string>("document.querySelector('.looked vscode-dropdown').value"), '77');
      await assertFits({ page });
    });
  }
});

test('what takes long to explain says how far it is and can be cancelled', { skip }, async () => {
  await withPage(openPrediction({}, 1), async ({ page, sent, post }) => {
    const choice = page.locator('.looked vscode-dropdown');
    await choice.click();
    await choice.locator('vscode-option', { hasText: 'canterbury bells' }).click();
    await page.getByText(/^Looking 20\s%/u).waitFor();
    await page.locator('.looked').getByRole('button', { name: 'Cancel' }).click();
    await until('the host is told to cancel', () => sent.at(-1)?.type === 'cancelExplaining');
    await page.locator('.looked .hint').waitFor({ state: 'hidden' });
    // What is answered nevertheless is not shown.
    const explain = sent.find((message) => message.type === 'explain');
    assert.ok(explain);
    const { image, index } = explain;
    await post({ type: 'explanation', explanation: sampleExplanation(image, index), precision: 'float32' });
    assert.equal(await page.locator('.heat:visible').count(), 0);
  });
});

test('where nothing can be tested the results stay, no test is offered, and the page says why', { skip }, async () => {
  const refusal = 'Testing waits until you trust this workspace.';
  await withPage(openEvaluation({}, 8, 20, refusal), async ({ page, heard }) => {
    await page.getByText(refusal).waitFor();
    const again = page.getByRole('button', { name: 'Test again' });
    assert.equal(await again.count(), 2);
    for (const one of await again.all()) assert.ok(await one.isDisabled());
    await page.locator('.matrix td').first().waitFor();
    assert.ok((await heard()).every(({ type }) => type !== 'test'));
  });
  await withPage(openEvaluation(), async ({ page, sent }) => {
    await page.getByRole('button', { name: 'Test again' }).first().click();
    await until('the host is asked for a test', () => sent.at(-1)?.type === 'test');
  });
});

test(
  'of a hundred and two classes the matrix shows the thirty that are confused most, and the list all',
  { skip },
  async () => {
    await withPage(openEvaluation({}, 102), async ({ page }) => {
      await page.getByText('The 30 classes of 102 that are confused most.').waitFor();
      assert.equal(await page.locator('.matrix tbody tr').count(), 30);
      assert.equal(await page.locator('.class-table tbody tr').count(), 102);
      await page.locator('.matrix td.wrong:not(:empty)').first().click();
      await page.locator('.behind .results li').first().waitFor();
      await page.getByRole('button', { name: 'Images', exact: true }).click();
      await pageScreenshot(page, 'evaluation-102');
      const confusions = page.getByRole('region', { name: 'Confusions' });
      await confusions.locator('vscode-dropdown').first().click();
      await confusions.getByRole('option', { name: 'All 102' }).click();
      await page.locator('.matrix.dense tbody tr').nth(101).waitFor();
      await pageScreenshot(page, 'evaluation-102-all');
    });
    // On a narrow page there are as many as fit, so that nothing has to be scrolled sideways.
    await withPage(openEvaluation({ width: 400 }, 102), async (opened) => {
      const { page } = opened;
      await page.locator('.matrix tbody tr').first().waitFor();
      const [inside, outside] = await page.evaluate<[number, number]>("(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])(document.querySelector('.matrix').parentElement)"); // prettier-ignore
      assert.ok(inside <= outside, `the matrix has ${inside} pixels in ${outside}`);
      assert.ok((await page.locator('.matrix tbody tr').count()) >= 8);
      await pageScreenshot(page, 'evaluation-102-400');
      await assertFits(opened);
    });
  },
);

test('a bar of the reliability diagram leads to its images, the wrong ones first', { skip }, async () => {
  await withPage(openEvaluation(), async ({ page }) => {
    const bar = page.getByRole('button', { name: /^Confidence 93\s% to 100\s%/ });
    const diagram = page.getByRole('region', { name: 'Reliability' });
    await diagram.getByText('lies in its range, of 160 images in all.').waitFor();
    const tick = (edge: 'bottom' | 'left', text: RegExp) =>
      boxOf(diagram.locator(`.reliability-axis.${edge} span`).filter({ hasText: text }));
    const middle = ({ y, height }: { y: number; height: number }) => y + height / 2;
    const [none, all] = [middle(await tick('bottom', /^0\s%/u)), middle(await tick('bottom', /^100\s%/u))];
    const accuracy = Number(/accuracy ([\d.]+)\s%/u.exec((await bar.getAttribute('aria-label')) ?? '')?.[1]) / 100;
    const { y: top } = await boxOf(bar.locator('.reliability-fill'));
    assert.ok(Math.abs(top - (none + accuracy * (all - none))) <= 2, 'a bar is as high as its axis says');
    const { x, width } = await boxOf(bar);
    const end = await tick('left', /^100\s%/u);
    assert.ok(Math.abs(x + width - (end.x + end.width / 2)) <= 4, 'the last bar ends at 100 %');
    await bar.click();
    const heading = page.getByRole('heading', { name: /^Confidence from 93\s% to 100\s%/ });
    const number = /\d+ images/u.exec(await heading.innerText())?.[0] ?? 'none';
    assert.ok((await bar.getAttribute('aria-label'))?.includes(number));
    assert.match(await page.locator('.behind .predicted').first().innerText(), /^✗/);
    assert.equal(await bar.getAttribute('aria-pressed'), 'true');
    await page.locator('.behind .card button').first().focus();
    await page.keyboard.press('Escape');
    await bar.and(page.locator(':focus')).waitFor();
    assert.equal(await page.locator('.behind').isVisible(), false);
  });
});

test('a threshold for an error says what it accepts and rejects, and leads to those images', { skip }, async () => {
  await withPage(openEvaluation(), async ({ page }) => {
    const section = page.getByRole('region', { name: 'None of these' });
    await section.locator('vscode-dropdown').click();
    await section.getByRole('option', { name: /^5\.0\s%/ }).click();
    const caption = section.locator('caption');
    await until('the accepted err less', async () => Number.parseFloat(await caption.innerText()) <= 5);
    const rejected = section.getByRole('button', { name: /that are wrong/ }).last();
    const images = await rejected.innerText();
    await rejected.click();
    await page.getByRole('heading', { name: `Rejected and wrong: ${images} images` }).waitFor();
    assert.match(await page.locator('.behind .predicted').first().innerText(), /^✗/);
  });
});

test(
  'slices by brightness and by a part of the path have their accuracy and lead to their images',
  { skip },
  async () => {
    await withPage(openEvaluation(), async ({ page }) => {
      const section = page.getByRole('region', { name: 'Slices' });
      await section.locator('tbody tr').nth(3).waitFor();
      assert.equal(await section.locator('tbody tr').count(), 4);
      await section.locator('tbody button').first().click();
      await page.getByRole('heading', { name: /^Brightness 40 to \d+: \d+ images/u }).waitFor();
      await pageScreenshot(page, 'evaluation-slices');
      await section.locator('vscode-dropdown').first().click();
      await section.getByRole('option', { name: 'Path' }).click();
      await section.getByText('Type a part of the path').waitFor();
      await section.locator('vscode-text-field input').fill('test/3/');
      await section.getByRole('button', { name: 'not test/3/' }).waitFor();
      await section.getByRole('button', { name: 'test/3/', exact: true }).click();
      await page.getByRole('heading', { name: 'Path test/3/: 20 images' }).waitFor();
    });
  },
);

test(
  'slices by a column of a CSV file lead to their images, and say which images and rows have no other',
  { skip },
  async () => {
    await withPage(openEvaluation({ state: { slices: { by: 'column', pattern: '' } } }), async ({ page }) => {
      const section = page.getByRole('region', { name: 'Slices' });
      await section.getByText('Choose a CSV file.').waitFor();
      await section.locator('vscode-button', { hasText: 'Choose a File...' }).click();
      await section.getByText(/10 images of 160 without camera in photos\.csv.* 1 row of photos\.csv without a tested image: gone\.jpg/u).waitFor(); // prettier-ignore
      await section.getByRole('button', { name: 'mirror' }).click();
      await page.getByRole('heading', { name: 'camera mirror: 75 images' }).waitFor();
    });
  },
);

test(
  'a class’s curves say how few its images are, and a click chooses a threshold that leads to its images',
  { skip },
  async () => {
    await withPage(openEvaluation({}, 8, 9), async ({ page, heard }) => {
      const section = page.getByRole('region', { name: 'Precision, recall and ROC' });
      await section.getByText(/^Average precision 0\.\d{4}, area under the ROC curve/u).waitFor();
      await section.getByText('8 of the classes have fewer than 20 images').waitFor();
      await section.locator('vscode-dropdown').click();
      await section.getByRole('option', { name: /^canterbury bells/u }).click();
      await section.getByText('Only 9 images of this class: each moves the recall by 11.1').waitFor();
      await section
        .locator('.u-over')
        .last()
        .click({ position: { x: 40, y: 40 } });
      await until('a threshold is chosen', async () => (await section.locator('output').innerText()) !== '50.0\u00a0%');
      await section
        .getByText(/of 9, 95 % interval/u)
        .first()
        .waitFor();
      const found = section.getByRole('button', { name: /images?$/u }).first();
      const images = await found.innerText();
      await found.click();
      await page.getByRole('heading', { name: new RegExp(`^Found as canterbury bells at a threshold of .*: ${images}`, 'u') }).waitFor(); // prettier-ignore
      await pageScreenshot(page, 'evaluation-curves');
      await section.locator('vscode-button', { hasText: 'CSV' }).click();
      await section.locator('vscode-button', { hasText: 'SVG' }).click();
      const exported = (await heard()).filter((message) => message.type === 'export');
      assert.deepEqual(exported.map(({ what, format }) => [what, format]), [['curves', 'csv'], ['curves', 'svg']]); // prettier-ignore
      const [heading, ...rows] = parseCsv(exported[0]?.content ?? '');
      assert.deepEqual(heading, ['class', 'name', 'threshold', 'precision', 'recall', 'false positive rate']);
      assert.deepEqual([new Set(rows.map(([folder]) => folder)), rows.at(-1)?.[4]], [new Set(['2']), '1']);
      assert.match(exported[1]?.content ?? '', /canterbury bells/u);
    });
  },
);

test('Calibrate asks for the error that was chosen, and for the tests that are shown', { skip }, async () => {
  await withPage(openEvaluation(), async ({ page, sent, post }) => {
    const section = page.getByRole('region', { name: 'Reliability' });
    await section.getByText('The checkpoint keeps no temperature.').waitFor();
    await section.locator('vscode-dropdown').click();
    await section.getByRole('option', { name: /^2\.0\s%/u }).click();
    await section.locator('vscode-button', { hasText: 'Calibrate' }).click();
    await until('the host is asked', () => sent.some(({ type }) => type === 'calibrate'));
    const again = { data: '/data/flowers', split: 'test', crops: [1, 5] };
    assert.deepEqual(sent.filter(({ type }) => type === 'calibrate'), [{ type: 'calibrate', targetError: 0.02, again }]); // prettier-ignore
    const calibration = { temperature: { 1: 1.31, 5: 1.2 }, images: 40, rejection: { targetError: 0.02, threshold: { 1: 0.62 } } }; // prettier-ignore
    const evaluations = [sampleEvaluation(8, 5)];
    await post({ type: 'evaluations', label: 'a', wholeImages: false, evaluations, calibration });
    await section.getByText(/temperatures 1\.31 for one crop and 1\.20 for five, fitted on 40 images\. .* 62\.0\s% by one crop, none by five/u).waitFor(); // prettier-ignore
    await section.locator('vscode-button', { hasText: 'Remove calibration' }).click();
    await until('the host is asked', () => sent.some(({ type }) => type === 'uncalibrate'));
    assert.deepEqual(sent.filter(({ type }) => type === 'uncalibrate'), [{ type: 'uncalibrate', again: { ...again, crops: [5] } }]); // prettier-ignore
    await post({ type: 'evaluations', label: 'a', wholeImages: false, evaluations });
    await section.locator('vscode-button', { hasText: 'Remove calibration' }).waitFor({ state: 'hidden' });
  });
});

test(
  'runs are compared on the same images: each pair leads to the images that one alone gets right',
  { skip },
  async () => {
    await withPage(openTraining(), async ({ page, sent }) => {
      const section = page.getByRole('region', { name: 'Test of the same images' });
      const pair = section.locator('table', { hasText: 'Only first right' }).locator('tbody tr');
      await pair.nth(2).waitFor();
      const link = pair.first().getByRole('button').first();
      const number = await link.innerText();
      await link.click();
      const heading = section.getByRole('heading', { name: /^Right by resnet18-head, wrong by resnet18-full: / });
      assert.match(await heading.innerText(), new RegExp(`: ${number} image`, 'u'));
      await section.locator('.results img[src]').first().waitFor();
      await pageScreenshot(page, 'training-compared');
      await section.getByRole('button', { name: 'Spread' }).waitFor();
      await section.locator('vscode-button', { hasText: 'Markdown' }).click();
      await until('the host is asked for a file', () => sent.some(({ type }) => type === 'exportComparison'));
      await section.locator('vscode-dropdown').last().click();
      await section.getByRole('option', { name: 'Five crops' }).click();
      await section.getByText('They were tested on different images.').waitFor();
      await section.locator('vscode-button', { hasText: 'Compare on the 12 common images' }).click();
      await pair.nth(2).waitFor();
    });
  },
);

test('one crop against five leads to the images that only one of them gets right', { skip }, async () => {
  await withPage(openEvaluation(), async ({ page }) => {
    const section = page.getByRole('region', { name: 'One crop against five' });
    const found = section.getByRole('button').last();
    const images = await found.innerText();
    await found.click();
    await page.getByRole('heading', { name: `Right by five crops alone: ${images}` }).waitFor();
    assert.match(await page.locator('.behind .predicted').first().innerText(), /^✗/);
    await pageScreenshot(page, 'evaluation-crops');
  });
});

test(
  'of ten thousand classes two hundred are shown at once, in the order asked for, and more on request',
  { skip },
  async () => {
    await withPage(openEvaluation({}, 10_000, 2), async ({ page }) => {
      const rows = page.locator('.class-table tbody tr');
      await rows.first().waitFor();
      assert.equal(await rows.count(), 200);
      await page.getByRole('button', { name: 'Show 200 more of 9800' }).click();
      assert.equal(await rows.count(), 400);
      await page.getByRole('button', { name: 'Show 200 more of 9600' }).waitFor();
      // The worst come first of all classes, not of those that were shown.
      await page.getByRole('button', { name: 'Recall' }).click();
      await page.getByRole('button', { name: 'Show 200 more of 9800' }).waitFor();
      assert.match(await rows.first().innerText(), /100\.0\s%/);
      await pageScreenshot(page, 'evaluation-10000');
    });
  },
);

/** A host whose data get one wrong class less with every edit, and which obeys the page. */
function openCleaning(look: Look = {}) {
  let fixed = 0;
  return openPage<CleaningPanelToHost>(browser, {
    ...look,
    name: 'cleaning',
    answer: async (message, post) => {
      const source = { id: 'a', label: 'resnet18-head: best', description: '94.2 %' };
      if (message.type === 'picture') {
        await post({ ...message, picture: flowerPicture(message.image.length + Number(message.image.at(-5))) });
      }
      if (message.type === 'ready')
        await post({ type: 'sources', data: '/data/flowers', sources: [source], source: 'a', isTrainedOnData: true });
      if (message.type === 'edit') fixed++;
      if (message.type === 'undo') fixed--;
      if (['ready', 'edit', 'undo'].includes(message.type)) {
        await post({ type: 'figures', figures: sampleCleaning(300, fixed), isAnswer: message.type !== 'ready' });
      }
    },
  });
}

/** A host that finds at once whatever the page asks for. */
function openDryRun(look: Look = {}) {
  const losses = Array.from(
    { length: 60 },
    (_, at) => 2.3 - (at < 42 ? 1.6 / (1 + Math.exp((28 - at) / 3)) : 0.05 * (41 - at)),
  );
  const points = losses.map((loss, at) => ({
    learningRate: 1e-6 * 10 ** (at / 10),
    loss: loss + 0.06 * Math.sin(7 * at),
  }));
  const [steepest, least] = [points[28]?.learningRate ?? 0, points[41]?.learningRate ?? 0];
  return openPage<DryRunPanelToHost>(browser, {
    ...look,
    name: 'dryRun',
    answer: async (message, post) => {
      if (message.type === 'ready') {
        const settings = 'ResNet-18 · Whole network · 30 epochs · 32 images per step';
        await post({ type: 'setup', title: 'Before Training on flowers', settings });
      }
      if (message.type === 'rate') {
        await post({ type: 'points', points: [] });
        await post({ type: 'points', points });
        await post({ type: 'rate', rate: { points, smoothed: losses, steepest, least } });
      }
      if (message.type === 'estimate') await post({ type: 'estimate', estimate: sampleEstimate });
      if (message.type === 'samples') {
        const { epoch, batch } = message;
        const images = Array.from({ length: 12 }, (_, index) => ({
          image: `/data/flowers/train/1/image_${index}.jpg`,
          picture: flowerPicture(100 * epoch + 20 * batch + index, 224, 224),
          mixedWith: `/data/flowers/train/2/image_${(index + 11) % 12}.jpg`,
          classes: [
            { index: 0, name: 'fire lily', weight: 0.62 },
            { index: 1, name: 'canterbury bells', weight: 0.38 },
          ],
        }));
        const counts = { seed: 0, epoch, batch, batches: 3, epochs: 30, size: 224, imageCount: 12 };
        await post({ type: 'samples', samples: { ...counts, mix: 'mixup', images, notes: [] } });
      }
    },
  });
}

const sampleEstimate = {
  ...{ seconds: 1234, memoryBytes: 2_576_980_378, setupSeconds: 3.2, steps: 2700, firstSteps: 90, measuredSteps: 48 },
  ...{ firstStepSeconds: 0.61, laterStepSeconds: 0.44, validations: 97, device: 'cpu' },
  ...{ firstValidationSeconds: 9.2, laterValidationSeconds: 0.4 },
};

test(
  'ahead of a training its learning rate, its time and its samples are shown, and the rate is taken along',
  { skip },
  async () => {
    for (const look of [
      {},
      { theme: 'light' },
      { theme: 'highContrast', width: 1000 },
      { theme: 'dark', width: 400 },
    ] as const) {
      await withPage(openDryRun(look), async ({ page, sent }) => {
        await page.getByRole('heading', { name: 'Before Training on flowers' }).waitFor();
        for (const name of ['Find learning rate', 'Estimate time and memory', 'Show samples'])
          await page.getByRole('button', { name }).click();
        await page
          .getByText('The loss falls fastest at 6.3e-4. It is lowest at 0.013; a tenth of that is 0.0013.')
          .waitFor();
        await page.getByRole('group', { name: /^Loss of each batch/u }).waitFor();
        await page.getByText('About 20 min 34 s and 2.4 GB of memory on cpu').waitFor();
        const pictures = page.getByRole('list', { name: 'Images of the batch' }).getByRole('img', { name: 'fire lily 0.62, canterbury bells 0.38' }); // prettier-ignore
        await pictures.first().waitFor();
        assert.equal(await pictures.count(), 12);
        await pageScreenshot(page, `dryRun-${JSON.stringify(look).replace(/[^\w]+/gu, '-')}`);
        assert.deepEqual(await faintTexts(page), []);
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        assert.equal(overflow, 0, 'nothing lies beside the page');
        await page.getByRole('button', { name: 'Next batch' }).click();
        await page.getByText('Epoch 1 of 30, batch 2 of 3, seed 0').waitFor();
        await page.getByRole('button', { name: 'Use 6.3e-4' }).click();
        await until('the rate is told', () => sent.some(({ type }) => type === 'back'));
        assert.deepEqual(sent.slice(-2), [
          { type: 'samples', epoch: 0, batch: 1 },
          { type: 'back', learningRate: 0.00063 },
        ]);
      });
    }
  },
);

test('from a test its data can be cleaned', { skip }, async () => {
  await withPage(openEvaluation(), async ({ page, sent }) => {
    await page.getByRole('button', { name: 'Clean Data' }).click();
    await until('the page asks for it', () => sent.some(({ type }) => type === 'clean'));
    assert.deepEqual(
      sent.find(({ type }) => type === 'clean'),
      { type: 'clean', data: '/data/flowers' },
    );
  });
});

test('data are cleaned by keys alone, and figures follow each edit', { skip }, async () => {
  await withPage(openCleaning(), async ({ page, sent, heard }) => {
    const list = page.getByRole('listbox', { name: 'Images' });
    await list.waitFor();
    await page.getByText('Accuracy 85.00').waitFor();
    await list.focus();
    await page.keyboard.press('Home');
    const edits = () => sent.flatMap((message) => (message.type === 'edit' ? [message.edit] : []));
    await page.keyboard.press('Enter');
    await page.keyboard.press('k');
    await page.keyboard.press('Delete');
    await page.keyboard.press('c');
    await until('three edits', () => edits().length === 3);
    assert.deepEqual(edits(), [
      { kind: 'move', images: ['train/1/label_0000.jpg'], to: '2' },
      { kind: 'keep', images: ['train/2/label_0001.jpg'] },
      { kind: 'putAside', images: ['train/3/label_0002.jpg'] },
    ]);
    await page.getByText('Accuracy 85.63').waitFor();
    await until('the question for another class', () =>
      sent.some((message) => message.type === 'otherClass' && message.image.endsWith('label_0003.jpg')),
    );
    await page.keyboard.press('Control+z');
    await page.getByText('Accuracy 85.42').waitFor();
    assert.equal(sent.filter(({ type }) => type === 'undo').length, 1);
    await page.keyboard.press('Control+y');
    assert.equal((await heard()).filter(({ type }) => type === 'redo').length, 0, 'there is nothing to be done again');
  });
});

const mapped = sampleFeatureMap(2000);
const someMapped = mapped.images.slice(0, 14).map(({ image }) => image);
const mapTest = {
  title: 'Test on test, five crops',
  images: mapped.images.slice(0, 400).map(({ image, classIndex }, at) => ({
    image,
    predicted: mapped.classes[classIndex]?.name ?? '',
    probability: 0.9,
    isRight: at % 10 > 0,
  })),
};

/** A host that has drawn a map by a checkpoint which was tested on some of the images. */
function openFeatureMap(look: Look = {}, map = mapped) {
  return openPage<FeatureMapPanelToHost>(browser, {
    ...look,
    name: 'featureMap',
    answer: async (message, post) => {
      const source = { id: 'a', label: 'resnet18-head: best', description: '94.2 %' };
      if (message.type === 'picture') {
        await post({ ...message, picture: flowerPicture(Number(message.image.slice(-9, -4))) });
      }
      if (message.type === 'ready') {
        await post({ type: 'sources', data: map.data, sources: [source], source: 'a', isTrainedOnData: true });
        await post({ type: 'map', map });
        await post({ type: 'tests', tests: [mapTest] });
      }
    },
  });
}

test('a lasso selects images of a map, which are shown, kept and taken to Clean Data', { skip }, async () => {
  await withPage(openFeatureMap(), async ({ page, sent }) => {
    const stage = page.getByRole('application', { name: /^Map of 2\s000 images: 1\s\d+ right/u });
    const { x, y, width, height } = await boxOf(stage);
    const corners = [[0.02, 0.02], [0.98, 0.02], [0.98, 0.98], [0.02, 0.98]] as const; // prettier-ignore
    await page.mouse.move(x + width * 0.02, y + height * 0.02);
    await page.mouse.down();
    for (const [right, down] of corners) await page.mouse.move(x + width * right, y + height * down, { steps: 4 });
    await page.mouse.up();
    await page.getByText(/^Selected: 2\s000 images$/u).waitFor();
    // Alt takes away what a second lasso goes around: the left half.
    await page.keyboard.down('Alt');
    await page.mouse.move(x + 3, y + 3);
    await page.mouse.down();
    for (const [right, down] of [[0.5, 0], [0.5, 1], [0, 1]] as const) await page.mouse.move(x + 3 + (width - 6) * right, y + 3 + (height - 6) * down, { steps: 3 }); // prettier-ignore
    await page.mouse.up();
    await page.keyboard.up('Alt');
    const right = mapped.images.filter((each) => each.x > 0.5).map(({ image }) => image);
    await page.getByRole('button', { name: 'Clean Data' }).click();
    await until('the images go to Clean Data', () => sent.some(({ type }) => type === 'clean'));
    const clean = sent.flatMap((message) => (message.type === 'clean' ? [message.images] : []));
    // The middle of the map lies within a pixel of the middle of the stage.
    const near = new Set(mapped.images.filter((each) => Math.abs(each.x - 0.5) < 0.01).map(({ image }) => image));
    assert.deepEqual((clean[0] ?? []).filter((image) => !near.has(image)), right.filter((image) => !near.has(image))); // prettier-ignore
    await page.getByRole('button', { name: 'Select nothing' }).click();
    await page.getByText('Nothing is selected').waitFor();
  });
});

test('a map is walked by keys alone: the image is shown and said, selected and opened', { skip }, async () => {
  await withPage(openFeatureMap({ state: { selectedAs: 'table' } }), async ({ page, sent }) => {
    const stage = page.getByRole('application');
    await stage.focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('.map-card img[src]').waitFor();
    const said = page.locator('.map [role=status]');
    const first = await said.textContent();
    assert.match(first ?? '', /, (right|wrong), .*confident, image_\d{5}\.jpg$/u);
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowRight');
    assert.notEqual(await said.textContent(), first);
    await page.keyboard.press('Space');
    await page.getByText('Selected: 2 images').waitFor();
    assert.equal(await page.getByRole('table', { name: 'Selected images' }).locator('tbody tr').count(), 2);
    await page.keyboard.press('Enter');
    await until('the image opens', () => sent.some(({ type }) => type === 'open'));
    const name = (await said.textContent())?.slice(-15) ?? '';
    assert.ok(sent.some((message) => message.type === 'open' && message.image.endsWith(name)));
    await page.keyboard.press('Escape');
    await page.getByText('Nothing is selected').waitFor();
  });
});

test('a map is colored by class, by errors, and by a test, which says of which images', { skip }, async () => {
  await withPage(openFeatureMap({}, sampleFeatureMap(2000, 102)), async ({ page }) => {
    const legend = page.getByRole('group', { name: 'Legend' });
    await legend.getByRole('button').nth(101).waitFor();
    await page.getByText('There are more classes than looks').waitFor();
    await page.getByRole('textbox', { name: 'Find a class' }).fill('flower 9');
    await until('the list is short', async () => (await legend.getByRole('button').count()) === 11);
    await legend.getByRole('button', { name: /^flower 99/u }).click();
    await page.getByRole('button', { name: 'Select them' }).click();
    await page.getByText('Selected: 19 images').waitFor();
  });
  await withPage(openFeatureMap({ state: { colorBy: mapTest.title } }), async ({ page }) => {
    await page.getByText(/own test, which was of 400 of 2\s000 images here/u).waitFor(); // prettier-ignore
    await page.getByText('360 right · 0 unsure · 40 wrong').waitFor();
    await page.getByRole('button', { name: /^Not tested 1\s600/u }).waitFor();
  });
});

test(
  'images that were selected on a map are shown once, and other kinds stay when the page is told again',
  { skip },
  async () => {
    await withPage(openCleaning(), async ({ page, post }) => {
      await page.getByText('label_0000.jpg').first().waitFor();
      await post({ type: 'chosen', time: 5 });
      await page.locator('.item figcaption', { hasText: 'chosen_0000.jpg' }).waitFor();
      const kinds = page.locator('.images vscode-dropdown');
      await kinds.click();
      await kinds.locator('vscode-option', { hasText: 'Unsure (300)' }).click();
      await page.locator('.item figcaption', { hasText: 'unsure_0000.jpg' }).waitFor();
      await post({ type: 'chosen', time: 5 });
      await post({ type: 'progress', busy: true, what: 'Told after it', done: 0, total: 0 });
      await page.getByText('Told after it').waitFor();
      assert.match((await page.locator('.item figcaption').first().textContent()) ?? '', /unsure_0000/u);
    });
  },
);

/** A host whose images get labels with every edit, and which obeys the page; so many had one before. */
function openLabelling(look: Look = {}, before = 0) {
  let labelled = before;
  return openPage<LabellingPanelToHost>(browser, {
    ...look,
    name: 'labelling',
    answer: async (message, post) => {
      const source = { id: 'a', label: 'resnet18-head: best', description: '94.2 %' };
      if (message.type === 'picture') {
        await post({ ...message, picture: flowerPicture(Number(message.image.slice(-8, -4))) });
      }
      if (message.type === 'ready')
        await post({
          type: 'sources',
          data: '/data/flowers',
          unlabelled: '/data/new',
          sources: [source],
          source: 'a',
          isTrainedOnData: false,
        });
      if (message.type === 'edit') labelled++;
      if (message.type === 'undo') labelled--;
      if (['ready', 'edit', 'undo'].includes(message.type)) {
        await post({ type: 'figures', figures: sampleLabelling(labelled), isAnswer: message.type !== 'ready' });
      }
    },
  });
}

test(
  'images are labelled by keys alone: Enter, digits, a class that is typed, also a new one, and what was skipped or labelled comes back',
  { skip },
  async () => {
    await withPage(openLabelling(), async ({ page, sent }) => {
      await page.getByText('Accuracy 70.0').waitFor();
      // The list has the keys as soon as it is there.
      await page.locator('.pair img[src]').waitFor();
      // Held down, a key labels one image.
      for (let repeat = 0; repeat < 3; repeat++) await page.keyboard.down('Enter');
      await page.keyboard.up('Enter');
      for (const key of ['2', 'Space']) await page.keyboard.press(key);
      await page.keyboard.type('mex');
      await page.locator('#match-0', { hasText: 'mexican aster' }).waitFor();
      await page.keyboard.press('Enter');
      await page.keyboard.type('new kind');
      await page.getByRole('option', { name: 'New class “new kind”' }).waitFor();
      await page.keyboard.press('Enter');
      const edits = () => sent.flatMap((message) => (message.type === 'edit' ? [message.edit] : []));
      await until('five edits', () => edits().length === 5);
      const next = sampleLabelling(0).next;
      const image = (at: number) => [next[at]?.image ?? ''];
      const aster = sampleLabelling(0).classes.find(({ name }) => name === 'mexican aster')?.folder;
      assert.deepEqual(edits(), [
        { kind: 'label', images: image(0), to: next[0]?.likely[0]?.folder },
        { kind: 'label', images: image(1), to: next[1]?.likely[1]?.folder },
        { kind: 'skip', images: image(2) },
        { kind: 'label', images: image(3), to: aster },
        { kind: 'label', images: image(4), to: 'new kind' },
      ]);
      await page.locator('.curve polyline').waitFor();
      await page.getByText('45 labels · 35 images left').waitFor();
      await page.keyboard.press('Control+z');
      await page.getByText('44 labels · 36 images left').waitFor();
    });
  },
);

test(
  'images come by paste, drop and camera; where the editor has no camera, a sentence says what to do',
  { skip },
  async () => {
    await withPage(openLabelling(), async ({ page, sent }) => {
      await page.locator('.pair img[src]').waitFor();
      const give = (event: string) =>
        page.evaluate(`{
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array([1, 2, 3])], 'image.png', { type: 'image/png' }));
      const event = ${event};
      document.body.dispatchEvent(event);
    }`);
      await give("new ClipboardEvent('paste', { clipboardData: data, bubbles: true })");
      await give("new DragEvent('drop', { dataTransfer: data, bubbles: true })");
      const given = () => sent.flatMap((message) => (message.type === 'given' ? [message] : []));
      await until('both images', () => given().length === 2);
      for (const { name, content } of given()) {
        assert.match(name, /^\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.png$/u);
        assert.equal(content, 'AQID');
      }
      await page.getByRole('button', { name: 'Camera' }).click();
      await page
        .getByText(/camera/u)
        .last()
        .waitFor();
      assert.equal(await page.getByRole('button', { name: 'Take this picture' }).isVisible(), false);
    });
  },
);

test(
  'the page of a server classifies what is chosen, asks nobody else, and shows names as text',
  { skip },
  async () => {
    const server = await serveHostileNames();
    const context = await browser.newContext({ viewport: { width: 800, height: 700 } });
    try {
      const page = await context.newPage();
      const problems: string[] = [];
      const asked = new Set<string>();
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => problems.push(message.text()));
      page.on('request', (request) => asked.add(new URL(request.url()).origin));
      await page.goto(server.address);
      const red = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#ff0000' } })
        .jpeg()
        .toBuffer();
      const choose = (name: string, buffer: Buffer) =>
        page.locator('input[type=file]').setInputFiles({ name, mimeType: 'image/jpeg', buffer });
      await choose('first.jpg', red);
      await page.getByText('A token is needed').waitFor();
      await page.getByLabel('Token').fill(servedToken);
      await choose('<i>red</i>.jpg', red);
      const answer = page.locator('.answers li').first();
      await answer.locator('table').waitFor();
      assert.deepEqual(await answer.locator('p').allTextContents(), ['<i>red</i>.jpg']);
      assert.equal(await answer.locator('td').first().textContent(), hostileName);
      assert.match((await answer.locator('td').nth(1).textContent()) ?? '', /^9\d\.\d %$|^100\.0 %$/u);
      assert.equal(await page.locator('h1').textContent(), `demo/checkpoints/${hostileName}`);
      assert.doesNotMatch(await page.content(), /somebody/u);
      await choose('text.jpg', Buffer.from('text'));
      await page.getByText('The file is not in a format that can be read; save it as JPEG or PNG.').waitFor();
      await pageScreenshot(page, 'served');
      assert.deepEqual(
        [...asked].filter((origin) => origin !== server.address && origin !== 'null'),
        [],
      );
      // The first answer is 401, which a browser logs.
      assert.deepEqual(
        problems.filter((problem) => !problem.includes('status of 401')),
        [],
      );
    } finally {
      await context.close();
      await server.stop();
    }
  },
);

for (const [name, exported] of Object.entries(exportsWithPages)) {
  test(`the page beside an export gives predict’s probabilities: ${name}`, { skip }, async () => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const { pictures, noPicture, expected, found, remove } = await openExport(page, exported);
      try {
        for (const [at, actual] of (await found()).entries()) {
          const wanted = expected[at] ?? [];
          assert.equal(actual.length, 3);
          assert.equal(actual.indexOf(Math.max(...actual)), wanted.indexOf(Math.max(...wanted)));
          actual.forEach((value, index) => assert.ok(Math.abs(value - (wanted[index] ?? NaN)) < 1e-3, `${String(actual)} and not ${String(wanted)}`)); // prettier-ignore
        }
        if (!name.endsWith('ConvNet1')) return;
        await page.evaluate(
          'globalThis.reads = 0; const { arrayBuffer } = File.prototype; File.prototype.arrayBuffer = function () { reads++; return arrayBuffer.call(this); };',
        );
        await page.locator('input[type=file]').setInputFiles([noPicture, ...pictures.slice(0, 1)]);
        await page.getByText(/^none\.png is not classified: .+\s0\.png: (red|green|blue) 0\.\d{3}, /u).waitFor();
        assert.equal(await page.evaluate('reads'), 2, 'each file is read once');
        if (exported.options.format !== 'tfjs') return;
        await page.getByRole('button', { name: 'Run the model’s own test images' }).click();
        await page.getByText(/^Verified by 4 test images: probabilities differ by up to \d\.\de-\d, and 0\.001 is allowed\.$/u).waitFor(); // prettier-ignore
      } finally {
        await remove();
      }
    } finally {
      await context.close();
    }
  });
}

test(
  'the trials of a sweep are ranked, filtered on an axis by pointer and keys, and open their runs',
  { skip },
  async () => {
    await withPage(openSweep(), async ({ page, sent }) => {
      const rows = page.locator('.table tbody tr');
      const accuracies = async () => (await rows.locator('td:nth-child(2)').allTextContents()).map(parseFloat);
      await rows.nth(59).waitFor();
      const ranked = (await accuracies()).filter(Number.isFinite);
      assert.deepEqual(
        ranked,
        ranked.toSorted((a, b) => b - a),
      );
      await page.getByText(/^Best: Trial \d+: 9\d\.\d.% after 9 epochs; learning rate /u).waitFor();
      await page.getByText(/on 612 images for validation so far/u).waitFor();
      await page.getByText(/^Of 53 trials by their validation accuracy after 3 epochs: /u).waitFor();
      assert.match((await page.locator('.bars .bar').first().textContent()) ?? '', /^learning rate/u);
      // The upper half of the axis of the learning rate.
      const axis = page.getByRole('slider', { name: 'Filter by learning rate' });
      const { x, y, width, height } = await boxOf(axis.locator('.axis-area'));
      await page.mouse.move(x + width / 2, y + 20);
      await page.mouse.down();
      await page.mouse.move(x + width / 2, y + height / 2, { steps: 4 });
      await page.mouse.up();
      await page.getByRole('button', { name: 'Clear filters' }).waitFor();
      const rates = (await rows.locator('td:nth-child(6)').allTextContents()).map(Number);
      assert.ok(rates.length > 10 && rates.length < 50 && rates.every((rate) => rate > 0.0008), rates.join(' '));
      await axis.focus();
      await page.keyboard.press('Escape');
      await rows.nth(59).waitFor();
      // One of three choices is left after two presses.
      const hidden = page.getByRole('slider', { name: 'Filter by hidden' });
      await hidden.focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await until('the axis says what is left', async () => (await hidden.getAttribute('aria-valuetext')) === 'none');
      assert.deepEqual([...new Set(await rows.locator('td:nth-child(7)').allTextContents())], ['none']);
      await page.getByRole('button', { name: 'Clear filters' }).click();
      await rows.nth(59).waitFor();
      // The button has gone; the keyboard goes on at the axes, where filters are set.
      await page.getByRole('slider').first().and(page.locator(':focus')).waitFor();
      const run = rows.first().getByRole('button');
      const name = await run.textContent();
      await run.click();
      await until('the run opens', () => sent.some(({ type }) => type === 'show'));
      assert.deepEqual(sent.at(-1), { type: 'show', runs: [name] });
    });
  },
);

test(
  'a line of a sweep is named under the pointer and opens its run, and news keep what is filtered',
  { skip },
  async () => {
    await withPage(
      openSweep({ state: { filters: { batchSize: { low: 0, high: 0 } } } }),
      async ({ page, post, sent }) => {
        const rows = page.locator('.table tbody tr');
        await rows.first().waitFor();
        const before = await rows.count();
        assert.ok(before > 5 && before < 40, String(before));
        const trials = sampleTrials(60).filter(({ settings }) => settings['batchSize'] === 16);
        const better = {
          ...trials.find(({ state }) => state === 'behind'),
          accuracy: 0.999,
          loss: 0,
          epochs: 9,
          state: 'finished',
        };
        await post({ type: 'trials', trials: [better] });
        await page.getByText(new RegExp(`^Best: Trial ${better.trial}: 99\\.9`, 'u')).waitFor();
        assert.equal(await rows.count(), before);
        // The best ends at the top of the last axis: along the line that is drawn last, near its end.
        const end = await page.evaluate<{ x: number; y: number }>(`(() => {
      const line = [...document.querySelectorAll('.parallel polyline')].at(-1);
      const [a, b] = [...line.points].slice(-2);
      const { left, top } = line.ownerSVGElement.getBoundingClientRect();
      return { x: left + a.x * 0.3 + b.x * 0.7, y: top + a.y * 0.3 + b.y * 0.7 };
    })()`);
        await page.mouse.move(end.x, end.y);
        await page
          .locator('.readout')
          .getByText(/^Trial \d+: /u)
          .waitFor();
        await page.mouse.click(end.x, end.y);
        await until('a run opens', () => sent.some(({ type }) => type === 'show'));
        await post({ ...sampleSweep, total: 60, state: 'stopped' });
        await page.getByRole('button', { name: 'Resume' }).click();
        await until('the sweep resumes', () => sent.some(({ type }) => type === 'resume'));
        assert.equal(await page.getByRole('button', { name: 'Stop' }).isVisible(), false);
      },
    );
  },
);
