import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contrast, mixed, parseColor, textOn, type Rgb } from '../../../src/webview/components/contrast.ts';
import { cellColors, matrixColors } from '../../../src/webview/evaluation/cellColors.ts';
import { cellText } from '../../../src/webview/evaluation/cellText.ts';
import { classesCsv } from '../../../src/webview/evaluation/evaluationCsv.ts';
import { evaluationMetrics } from '../../../src/protocol/evaluationMetrics.ts';
import type { ShownEvaluation } from '../../../src/webview/evaluation/shownEvaluation.ts';

test('contrast is that of the WCAG’s definition', () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  // Figures of WebAIM's contrast checker.
  assert.equal(contrast([0x77, 0x77, 0x77], [255, 255, 255]).toFixed(2), '4.48');
  assert.equal(contrast([0x76, 0x76, 0x76], [255, 255, 255]).toFixed(2), '4.54');
});

test('colours of a theme are read in each way that the editor writes them', () => {
  for (const color of ['#ff8000', '#ff800080', 'rgb(255, 128, 0)', 'rgba(255, 128, 0, 0.5)']) {
    assert.deepEqual(parseColor(color), [255, 128, 0], color);
  }
  assert.deepEqual(parseColor('#f80'), [255, 136, 0]);
  assert.equal(parseColor('CanvasText'), undefined);
  assert.deepEqual(mixed([255, 0, 0], [0, 0, 255], 0.5), [128, 0, 128]);
});

test('text on any colour can be read', () => {
  for (let red = 0; red < 256; red += 15) {
    for (let green = 0; green < 256; green += 15) {
      for (let blue = 0; blue < 256; blue += 15) {
        const background: Rgb = [red, green, blue];
        for (const wanted of [[59, 59, 59], [204, 204, 204], background] satisfies Rgb[]) {
          assert.ok(contrast(background, textOn(background, wanted)) >= 4.5, String(background));
        }
      }
    }
  }
});

test('text in every cell of the matrix can be read, in themes whose colours are the worst for it too', () => {
  for (const [green, red, background, foreground] of [
    ['#388a34', '#e51400', '#ffffff', '#3b3b3b'],
    ['#89d185', '#f14c4c', '#1f1f1f', '#cccccc'],
    ['#89d185', '#f48771', '#000000', '#ffffff'],
    ['#808080', '#808080', '#808080', '#808080'],
  ] as const) {
    const colors = matrixColors(green, red, background, foreground);
    for (let share = 0.01; share <= 1; share += 0.03) {
      for (const right of [true, false]) {
        const cell = cellColors(share, right, colors);
        assert.ok(contrast(cell.background, cell.text) >= 4.5, `${green} ${red} ${share}`);
      }
    }
  }
});

test('a cell says its number, or its share of the row, and never 0 or 100 percent of what is not that', () => {
  assert.equal(cellText(0, 0, 'counts'), '');
  assert.equal(cellText(7, 0.35, 'counts'), '7');
  assert.equal(cellText(7, 0.35, 'rows'), '35');
  assert.equal(cellText(1, 0.004, 'rows'), '<1');
  assert.equal(cellText(999, 0.999, 'rows'), '>99');
  assert.equal(cellText(9, 1, 'rows'), '100');
});

test('classes are exported one per row with what was tested, a ratio without a denominator empty', () => {
  const label = (index: number) => ({ index, folder: `f${index}`, name: `n${index}`, images: 0, accuracy: 0 });
  const metrics = evaluationMetrics({
    perClass: [label(0), label(1), label(2)],
    confusion: [
      [0, 0, 3],
      [0, 1, 1],
      [2, 0, 1],
    ],
  });
  const test = { data: '/home/ada/flowers', split: 'test', cropCount: 5 };
  assert.deepEqual(
    classesCsv({ ...test, ...metrics } as ShownEvaluation, 'demo, best')
      .trim()
      .split('\r\n'),
    [
      'checkpoint,data,split,crops,class,folder,index,images,predicted,precision,recall,f1',
      '"demo, best",flowers,test,5,n0,f0,0,4,4,0.75,0.75,0.75',
      '"demo, best",flowers,test,5,n1,f1,1,0,1,0,,0',
      '"demo, best",flowers,test,5,n2,f2,2,1,0,,0,0',
    ],
  );
});
