import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markedPoints } from '../../../src/charts/curve.ts';
import { curvesCsv } from '../../../src/charts/curvesCsv.ts';
import { bytes, count, duration, fileName, short } from '../../../src/charts/format.ts';
import { emptyCurves } from '../../../src/charts/runCurves.ts';
import { svgCharts } from '../../../src/charts/svgCharts.ts';
import { linearTicks, logTicks } from '../../../src/charts/ticks.ts';
import { valueLabel, valueRange, valueTicks } from '../../../src/charts/valueRange.ts';
import { xLabel, xTicks } from '../../../src/charts/xAxis.ts';

const lossKind = { title: 'Loss', values: 'Loss', log: false, percent: false };
const accuracyKind = { title: 'Validation accuracy', values: 'Accuracy', log: false, percent: true };

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

test('ticks are round and inside the range, those of steps whole', () => {
  assert.deepEqual(linearTicks({ min: 0, max: 1 }, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(logTicks({ min: 0.04, max: 3 }), [0.05, 0.1, 0.2, 0.5, 1, 2]);
  assert.deepEqual(logTicks({ min: 1.2, max: 1.9 }), [1.2, 1.4, 1.6, 1.8]);
  assert.deepEqual(linearTicks({ min: 3, max: 3 }, 5), [3]);
  assert.deepEqual(xTicks('step', { min: 0, max: 2.04 }, 10), [0, 1, 2]);
  assert.deepEqual(xTicks('time', { min: 0, max: 400 }, 4), [0, 120, 240, 360]);
  assert.deepEqual(
    [0, 45, 120, 150, 3600].map((seconds) => xLabel('time', seconds)),
    ['0', '45 s', '2 min', '2 min 30 s', '1 h'],
  );
});

test('values are seen from 0 when they fall far, and close up when they lie close together', () => {
  const range = (min: number, max: number, kind = lossKind) => valueRange(kind, { min, max });
  assert.deepEqual(range(0.3, 4.6), { min: 0, max: 5 });
  const close = range(2.01, 2.09);
  assert.ok(close.min > 1.9 && close.max < 2.2, JSON.stringify(close));
  assert.deepEqual(range(2, 2), { min: 0, max: 4 });
  assert.deepEqual(range(0.93, 1, accuracyKind).max, 1);
  const ticks = valueTicks(accuracyKind, range(0.981, 0.984, accuracyKind));
  const labels = ticks.map((tick) => valueLabel(accuracyKind, tick, ticks));
  assert.equal(new Set(labels).size, labels.length, labels.join());
});

test('of a long curve some points are marked, the last one always; a single point is a dot even without marks', () => {
  assert.deepEqual(markedPoints(1, undefined), [0]);
  assert.deepEqual(markedPoints(2, undefined), []);
  assert.deepEqual(markedPoints(3, 'circle'), [0, 1, 2]);
  const many = markedPoints(1000, 'circle');
  assert.ok(many.length <= 24 && many.at(-1) === 999);
});

test('a picture of the curves is drawn to scale, with a legend, and hides no markup in a name', () => {
  const points = () => ({ x: Float64Array.of(0, 5, 10), y: Float64Array.of(0, 0.5, 1) });
  const curve = { label: '<run> & "co"', color: '#123456', width: 1, dash: [4, 2], alpha: 1, points };
  const { svg, height } = svgCharts({
    heading: 'a run',
    data: 'flowers',
    charts: [{ kind: accuracyKind, curves: [curve] }],
    axis: 'step',
    range: { min: 0, max: 10 },
    marks: [5],
    width: 596,
    chartHeight: 182,
    colors: { foreground: '#000', muted: '#555', background: '#fff', grid: '#ddd' },
  });
  // 500 x 100 pixels of plot at 76, 36; shares from 0 to 1.
  assert.match(svg, /d="M76 136L326 86L576 36"/);
  assert.match(svg, /stroke-dasharray="4 2"/);
  assert.ok(!svg.includes('<run>') && svg.includes('<title>&lt;run&gt; &amp; &quot;co&quot;</title>'));
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, content]) => content);
  for (const wanted of [
    'a run',
    'flowers',
    'Step',
    'Accuracy',
    '&lt;run&gt; &amp; &quot;co&quot;',
    'End of an epoch',
  ]) {
    assert.ok(texts.includes(wanted), wanted);
  }
  assert.equal(height, 58 + 182 + 22 + 8);
});

test('the columns of the CSV tell training from validation and top-1 from top-5, which few classes do not have', () => {
  const runs = [{ name: 'r', data: 'flowers', curves: emptyCurves() }];
  const heading = (topFive: boolean) => curvesCsv(runs, topFive).split('\r\n')[0]?.split(',') ?? [];
  for (const column of [
    'run',
    'data',
    'trainingLoss',
    'validationLoss',
    'validationTop1Accuracy',
    'validationTop5Accuracy',
  ]) {
    assert.ok(heading(true).includes(column), column);
  }
  assert.ok(!heading(false).includes('validationTop5Accuracy'));
});
