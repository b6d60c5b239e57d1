import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Evaluation } from '../../../src/protocol/evaluation.ts';
import type { ImagePrediction } from '../../../src/protocol/prediction.ts';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { csv } from '../../../src/webview/components/csv.ts';
import { opaque } from '../../../src/webview/components/opaque.ts';
import { bytes, count, duration, fileName, short } from '../../../src/webview/components/format.ts';
import { sortedRows } from '../../../src/webview/components/sortRows.ts';
import { scrolledTo, visibleRows } from '../../../src/webview/components/visibleRows.ts';
import { byCrops, isOutdated, testedData } from '../../../src/webview/evaluation/chooseEvaluation.ts';
import {
  confusionMatrix,
  imagesBehind,
  suspectedMislabels,
  topConfusions,
} from '../../../src/webview/evaluation/confusions.ts';
import { droppedUris } from '../../../src/webview/prediction/droppedUris.ts';
import {
  agreement,
  chosenRows,
  predictionsCsv,
  type PredictionRow,
} from '../../../src/webview/prediction/predictionRows.ts';
import { differingSettings, settingWords } from '../../../src/webview/training/compareRuns.ts';
import { possibleActions, stateWord } from '../../../src/webview/training/runState.ts';
import { svgCharts } from '../../../src/webview/training/svgCharts.ts';
import { linearTicks, logTicks } from '../../../src/webview/training/ticks.ts';

function record(config: object, device?: string): RunRecord {
  const filled = trainingConfigSchema.parse({
    data: '/d',
    network: { kind: 'architecture', name: 'resnet18' },
    ...config,
  });
  return { config: filled, environment: { fallbacks: [], device } } as unknown as RunRecord;
}

test('a comparison lists only the settings that differ, with a dash where a run has none', () => {
  const differing = differingSettings([record({ learningRate: 0.01 }), record({ clipNorm: 1 }), record({})]);
  assert.deepEqual(differing, [
    { setting: 'learningRate', values: ['0.01', '0.001', '0.001'] },
    { setting: 'clipNorm', values: ['–', '1', '–'] },
  ]);
  assert.deepEqual(differingSettings([record({}), record({})]), []);
  assert.equal(settingWords('network.learningRate'), 'network learning rate');
});

test('a comparison names the device that a run really used', () => {
  assert.deepEqual(differingSettings([record({}, 'cpu'), record({}, 'webgpu')]), [
    { setting: 'device', values: ['cpu', 'webgpu'] },
  ]);
});

test('a run whose process is gone can only be resumed, whatever its record says', () => {
  assert.deepEqual(possibleActions('running', true), ['resume']);
  assert.deepEqual(possibleActions('running', false), ['pause', 'stop']);
  assert.deepEqual(possibleActions('finished', false), []);
  assert.equal(stateWord('running', true), 'Broken off');
});

test('CSV quotes what needs it and disarms formulas', () => {
  assert.equal(csv([['a,b', 'say "x"', -1.5, undefined, '=1+1', '-2']]), `"a,b","say ""x""",-1.5,,'=1+1,'-2\r\n`);
});

test('numbers are short and exact enough', () => {
  assert.equal(short(0.123456), '0.1235');
  assert.equal(short(0.0001), '1e-4');
  assert.equal(short(0), '0');
  assert.equal(count(1234567), '1\u2009234\u2009567');
  assert.equal(duration(3605), '1 h 00 min');
  assert.equal(duration(59.6), '1 min 00 s');
  assert.equal(duration(NaN), '–');
  assert.equal(bytes(1.5 * 1024 ** 3), '1.5 GB');
  assert.equal(fileName('C:\\pictures\\a.jpg'), 'a.jpg');
});

test('names are ordered as people do, equal rows keep their order', () => {
  assert.deepEqual(
    sortedRows(['b10', 'b9', 'a'], (row) => row, false),
    ['a', 'b9', 'b10'],
  );
  const rows = [
    { id: 1, v: 5 },
    { id: 2, v: 5 },
    { id: 3, v: 9 },
  ];
  assert.deepEqual(
    sortedRows(rows, ({ v }) => v, true).map(({ id }) => id),
    [3, 1, 2],
  );
});

test('only rows near the window are built, whatever is scrolled', () => {
  assert.deepEqual(visibleRows(1000, 50, 0, 500), { first: 0, end: 14 });
  assert.deepEqual(visibleRows(1000, 50, 49_900, 500), { first: 994, end: 1000 });
  assert.deepEqual(visibleRows(3, 50, 9999, 500), { first: 3, end: 3 });
  assert.equal(scrolledTo(20, 50, 0, 500), 550);
  assert.equal(scrolledTo(2, 50, 500, 500), 100);
  assert.equal(scrolledTo(12, 50, 500, 500), 500);
});

const label = (index: number) => ({ index, folder: String(index), name: `class ${index}` });

function prediction(image: string, first: number, probability: number, crops: readonly number[]): PredictionRow {
  const top = (index: number) => [{ ...label(index), probability }];
  const shown = {
    image,
    width: 9,
    height: 9,
    mean: top(first),
    crops: crops.map((index) => ({ crop: 'center', frame: { left: 0, top: 0, width: 9, height: 9 }, top: top(index) })),
  } as ImagePrediction;
  return { kind: 'classified', image, prediction: shown, thumbnail: '' };
}

const rows: PredictionRow[] = [
  prediction('/x/img10.jpg', 1, 0.9, [1, 1, 1, 1, 1]),
  prediction('/x/img9.jpg', 2, 0.4, [2, 1, 1, 2, 2]),
  { kind: 'failed', image: '/x/bad.jpg', error: 'cut off' },
];
const choice = { order: 'name', descending: false, filter: '', onlyDisagreeing: false } as const;

test('images are ordered and filtered by what was found, those that failed last', () => {
  const names = (part: object) => chosenRows(rows, { ...choice, ...part }).map(({ image }) => fileName(image));
  assert.deepEqual(names({}), ['bad.jpg', 'img9.jpg', 'img10.jpg']);
  assert.deepEqual(names({ order: 'probability' }), ['img9.jpg', 'img10.jpg', 'bad.jpg']);
  assert.deepEqual(names({ order: 'probability', descending: true }), ['img10.jpg', 'img9.jpg', 'bad.jpg']);
  assert.deepEqual(names({ order: 'agreement' }), ['img9.jpg', 'img10.jpg', 'bad.jpg']);
  assert.deepEqual(names({ onlyDisagreeing: true }), ['img9.jpg']);
  assert.deepEqual(names({ filter: 'CLASS 1' }), ['img10.jpg']);
});

test('agreement counts the crops that say what the mean says', () => {
  const row = rows[1];
  assert.deepEqual(row?.kind === 'classified' ? agreement(row.prediction) : undefined, { agreeing: 3, of: 5 });
});

test('the CSV of predictions has a row an image, also for those that failed', () => {
  const lines = predictionsCsv(rows).trim().split('\r\n');
  assert.equal(lines[0], 'image,class1,folder1,index1,probability1,agreeing,crops,error');
  assert.equal(lines[1], '/x/img10.jpg,class 1,1,1,0.9,5,5,');
  assert.equal(lines[3], '/x/bad.jpg,,,,,,,cut off');
});

test('a list of addresses loses comments and empty lines', () => {
  assert.deepEqual(droppedUris('# c\r\nfile:///a.jpg\n\nfile:///b.jpg\r\n'), ['file:///a.jpg', 'file:///b.jpg']);
});

const evaluation = {
  data: '/d',
  split: 'test',
  cropCount: 5,
  perClass: [0, 1, 2].map((index) => ({ ...label(index), images: 4, accuracy: 0.5 })),
  confusion: [
    [0, 0, 3],
    [0, 1, 1],
    [1, 1, 1],
    [1, 2, 3],
    [2, 2, 4],
  ],
  results: [
    { image: 'a', actual: 1, predicted: 2, probability: 0.97, actualProbability: 0.01 },
    { image: 'b', actual: 1, predicted: 2, probability: 0.99, actualProbability: 0.01 },
    { image: 'c', actual: 0, predicted: 1, probability: 0.5, actualProbability: 0.4 },
    { image: 'd', actual: 0, predicted: 0, probability: 1, actualProbability: 1 },
  ],
} as unknown as Evaluation;

test('confusions are counted by class and ordered by number', () => {
  const matrix = confusionMatrix(evaluation);
  assert.equal(matrix.count(1, 2), 3);
  assert.equal(matrix.share(1, 2), 0.75);
  assert.equal(matrix.share(7, 7), 0);
  assert.deepEqual(
    topConfusions(evaluation, 9).map(({ actual, predicted }) => [actual, predicted]),
    [
      [1, 2],
      [0, 1],
    ],
  );
});

test('the images behind a cell and the suspected mislabels come surest first', () => {
  assert.deepEqual(
    imagesBehind(evaluation, 1, 2).map(({ image }) => image),
    ['b', 'a'],
  );
  assert.deepEqual(
    suspectedMislabels(evaluation, 0.9).map(({ image }) => image),
    ['b', 'a'],
  );
  assert.deepEqual(
    suspectedMislabels(evaluation, 0.5).map(({ image }) => image),
    ['b', 'a', 'c'],
  );
});

test('of several tests of the same data the newest with one crop and with five are shown', () => {
  const all = [
    evaluation,
    { ...evaluation, cropCount: 1 as const },
    { ...evaluation, loss: 9 },
    { ...evaluation, split: 'valid' },
  ];
  assert.deepEqual(testedData(all), [
    { data: '/d', split: 'test' },
    { data: '/d', split: 'valid' },
  ]);
  const pair = byCrops(all, { data: '/d', split: 'test' });
  assert.equal(pair[5], evaluation);
  assert.equal(pair[1]?.cropCount, 1);
});

test('a result from before the checkpoint was written again is that of another one', () => {
  const time = '2026-01-01T10:00:00.000Z';
  assert.equal(isOutdated({ time }, '2026-01-01T10:00:01.000Z'), true);
  assert.equal(isOutdated({ time }, '2026-01-01T09:00:00.000Z'), false);
  assert.equal(isOutdated({ time }, undefined), false);
});

test('curves are drawn in a theme’s colours without their transparency', () => {
  assert.equal(opaque('rgba(234, 92, 0, 0.33)'), 'rgb(234, 92, 0)');
  assert.equal(opaque('#d1861654'), '#d18616');
  assert.equal(opaque('#d186'), '#d18');
  for (const color of ['#59a4f9', '#59a', 'orange']) assert.equal(opaque(color), color);
});

test('ticks are round and inside the range', () => {
  assert.deepEqual(linearTicks({ min: 0, max: 1 }, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(logTicks({ min: 0.04, max: 3 }), [0.05, 0.1, 0.2, 0.5, 1, 2]);
  assert.deepEqual(linearTicks({ min: 3, max: 3 }, 5), [3]);
});

test('a picture of the curves is drawn to scale and hides no markup in a name', () => {
  const points = () => ({ x: Float64Array.of(0, 5, 10), y: Float64Array.of(0, 0.5, 1) });
  const curve = { label: '<run> & "co"', color: '#123456', width: 1, dash: [4, 2], alpha: 1, points };
  const drawn = svgCharts({
    charts: [{ kind: { title: 'Accuracy', log: false, percent: true }, curves: [curve] }],
    legend: [{ label: curve.label, color: curve.color, dash: curve.dash }],
    range: { min: 0, max: 10 },
    marks: [5],
    width: 580,
    chartHeight: 168,
    colors: { foreground: '#000', muted: '#555', background: '#fff', grid: '#ddd' },
  });
  // 500 x 100 pixels of plot at 64, 32; shares are padded to 1 at the top and 0 at the bottom.
  assert.match(drawn, /d="M64 132L314 82L564 32"/);
  assert.match(drawn, /stroke-dasharray="4 2"/);
  assert.ok(!drawn.includes('<run>') && drawn.includes('&lt;run&gt; &amp; &quot;co&quot;'));
});
