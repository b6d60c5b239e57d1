import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { html, safe } from '../../../src/ml/results/markup.ts';
import { runPage } from '../../../src/ml/results/runPage.ts';
import { textWithoutFolders } from '../../../src/ml/results/withoutFolders.ts';
import { madeEvaluation, madeResults } from './madeResults.ts';

const hostile = '<img src=x onerror="alert(1)">';

/** What a browser would take for elements, without those that the page writes itself. */
function elementsOf(page: string): Set<string> {
  return new Set([...page.matchAll(/<([a-z][a-z0-9]*)/giu)].map(([, name = '']) => name.toLowerCase()));
}

test('text in a page stays text, in elements and in attributes', () => {
  const { markup } = html`<p title="${hostile}">${hostile}${[1, undefined, safe('<b></b>')]}</p>`;
  const escaped = '&lt;img src=x onerror=&quot;alert(1)&quot;&gt;';
  assert.equal(markup, `<p title="${escaped}">${escaped}1<b></b></p>`);
});

test('names from data and files are text in a run’s page, whatever they hold', async () => {
  const run = madeResults('r', { classes: [hostile, 'rose'], config: { data: `/data/${hostile}`.replace('/>', '>') } });
  const evaluation = madeEvaluation([true, false, true, true], { names: [hostile, 'rose'] });
  const record = { ...run.record, name: hostile, licence: hostile };
  const page = await runPage({ ...run, record, warnings: [hostile], evaluations: [evaluation] });
  const plain = await runPage({
    ...madeResults('r'),
    warnings: ['none'],
    evaluations: [madeEvaluation([true, false, true, true])],
  });
  assert.deepEqual(elementsOf(page), elementsOf(plain));
  assert.ok(!page.includes('<img'), 'no picture, since the images are gone');
  assert.ok(page.split('&lt;img src=x onerror=').length > 8);
});

test('sentences name files without their folders, and keep parts of paths and addresses', () => {
  const plain = (text: string) => textWithoutFolders(text, ['/secret place/flowers']);
  assert.equal(plain('/secret place/flowers/1/a.jpg is left out: /tmp/x/y.png'), '1/a.jpg is left out: y.png');
  assert.equal(plain('C:\\Users\\me\\a.jpg and train/1/b.jpg'), 'a.jpg and train/1/b.jpg');
  assert.equal(plain('\\\\server\\share\\me\\a.jpg is left out'), 'a.jpg is left out');
  assert.equal(plain('see https://example.org/a/b'), 'see https://example.org/a/b');
});

test('a page needs no script and no network, and names no folder of the machine', async () => {
  const warnings = ['/secret place/flowers/1/a.jpg is left out', 'resumed from /home/me/runs/r/last.safetensors'];
  const page = await runPage({
    ...madeResults('demo'),
    warnings,
    evaluations: [madeEvaluation([true, true, false, true])],
  });
  assert.ok(page.includes('last.safetensors') && !page.includes('/home/me'));
  assert.match(page, /content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/u);
  assert.ok(!elementsOf(page).has('script') && !elementsOf(page).has('link'));
  // Names of SVG are no addresses that anything is fetched from.
  assert.doesNotMatch(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', ''), /https?:|url\((?!#)|@import/u);
  assert.ok(!page.includes('secret place') && !page.includes('/data/test'));
  const ids = [...page.matchAll(/ id="([^"]+)"/gu)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, 'ids of the pictures are told apart');
});

test('a page has the accuracy with its interval and checkpoint, the confusions and the curves of its run', async () => {
  const page = await runPage({ ...madeResults('demo'), evaluations: [madeEvaluation([true, true, false, true])] });
  // Wilson's interval of 3 in 4: 30.06 % to 95.44 % (statsmodels proportion_confint).
  for (const wanted of [
    '75.0\u00a0%',
    '30.1\u00a0% to 95.4\u00a0%',
    '<dd>c</dd>',
    'Training loss',
    'Validation loss',
    'Top-1 accuracy',
  ]) {
    assert.ok(page.includes(wanted), wanted);
  }
  assert.match(page, /prefers-color-scheme: dark/u);
});

test('a page has how well the probabilities tell each class from the others, with both curves', async () => {
  const evaluation = madeEvaluation([true, false, true, true]);
  const ofFirst = [0.9, 0.6, 0.55, 0.2];
  const values = Float32Array.from(ofFirst.flatMap((value) => [value, 1 - value]));
  const probabilities = { classes: [0, 1], float32: Buffer.from(values.buffer).toString('base64') };
  const page = await runPage({ ...madeResults('demo'), evaluations: [{ ...evaluation, probabilities }] });
  // Of each class 5/6 and 3/4 (scikit-learn's average_precision_score and roc_auc_score).
  assert.match(page, /<dt>Mean average precision over classes<\/dt>\s*<dd>0\.8333<\/dd>/u);
  assert.match(page, /<dt>Mean area under the ROC curve over classes<\/dt>\s*<dd>0\.7500<\/dd>/u);
  assert.equal(page.split('<td class="number">0.833</td>').length - 1, 2);
  for (const curve of ['Precision and recall', 'ROC curve']) assert.ok(page.includes(`aria-label="${curve}"`), curve);
  const plain = await runPage({ ...madeResults('demo'), evaluations: [evaluation] });
  assert.doesNotMatch(plain, /Average precision|ROC/u);
});

test('a test of another folder than the run’s own is shown for want of one of its own, with the name of its folder', async () => {
  const run = madeResults('demo');
  const other = madeEvaluation([true, true, false, true]);
  const alone = await runPage({ ...run, evaluations: [other] });
  assert.match(alone, /Test accuracy on data<strong>75\.0/u);
  assert.match(alone, /<dt>Folder<\/dt>\s*<dd>data<\/dd>/u);
  const own = { ...madeEvaluation([true, false, false, true]), data: run.record.config.data };
  const both = await runPage({ ...run, evaluations: [other, own] });
  assert.match(both, /Test accuracy<strong>50\.0/u);
  assert.match(both, /test of data, center crop/u);
});

test('sentences of a page name no folder of what it was tested on or began with, also with spaces', async () => {
  const network = { kind: 'architecture', name: 'ConvNet1', weights: '/our weights/new ones/w.pth' } as const;
  const warnings = ['There is no folder /secret place/flowers.', '/our weights/new ones/w.pth is old'];
  const page = await runPage({ ...madeResults('demo', { config: { network } }), warnings });
  assert.ok(page.includes('There is no folder flowers.') && page.includes('<li>w.pth is old</li>'));
});

test('a run without a test or a step has a page that says so', async () => {
  const { curves } = madeResults('demo');
  curves.steps.truncate(0);
  const page = await runPage({ ...madeResults('demo'), curves });
  assert.match(page, /The run has taken no step/u);
  assert.match(page, /has not been tested/u);
});

test('samples are embedded small, errors first, and what is gone is counted', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-page-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'large.png');
  await sharp({ create: { width: 900, height: 600, channels: 3, background: 'red' } })
    .png()
    .toFile(file);
  const image = (index: number) => (index === 0 ? join(folder, 'gone.png') : file);
  const evaluation = madeEvaluation([true, false, true, true], { image });
  const page = await runPage({ ...madeResults('demo'), evaluations: [evaluation] });
  const pictures = [...page.matchAll(/<img src="data:image\/jpeg;base64,([^"]+)"/gu)].map(([, data = '']) =>
    Buffer.from(data, 'base64'),
  );
  assert.equal(pictures.length, 2);
  for (const picture of pictures) {
    const { width, height } = await sharp(picture).metadata();
    assert.deepEqual([width, height], [200, 133]);
  }
  assert.match(page, /Wrong, the most certain first: 1 of 1 image</u);
  assert.match(page, /Right: 1 of 3 images</u);
  assert.match(page, /alt="Predicted as daisy/u);
  assert.match(page, /1 image could not be read/u);
});

test('the page of a run on a graphics card names the card, its driver and what drives it', async () => {
  const run = madeResults('r');
  const card = { name: 'NVIDIA H200', driver: '580.95.05', provider: 'cuda-13.2' };
  const environment = { ...run.record.environment, device: 'cuda', card };
  const page = await runPage({ ...run, record: { ...run.record, environment } });
  assert.match(page, /NVIDIA H200, driver 580\.95\.05/u);
  assert.match(page, /cuda-13\.2/u);
  assert.doesNotMatch(await runPage(run), /Graphics card/u);
});
