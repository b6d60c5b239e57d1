import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markdownTable, plainMarkdown } from '../../../src/ml/results/markdown.ts';
import { studyText } from '../../../src/ml/results/studyMarkdown.ts';
import { numbersOf } from '../../../src/ml/results/studyResults.ts';
import { studyKinds } from '../../../src/protocol/study.ts';
import { madeEvaluation, madeResults } from './madeResults.ts';

const right = Array.from({ length: 40 }, () => true);
const worse = right.map((_, index) => index >= 12);

test('text in Markdown stays text, and a table keeps its cells apart', () => {
  assert.equal(plainMarkdown('a|b\n<i>*c*</i> _d_ e_f'), 'a\\|b \\<i\\>\\*c\\*\\</i\\> \\_d\\_ e_f');
  assert.equal(markdownTable(['x', 'y'], [['a|b', '1']]), '| x | y |\n| :-- | --: |\n| a\\|b | 1 |');
  assert.match(markdownTable(['x', 'y', 'n'], [], 2), /\n\| :-- \| :-- \| --: \|$/u);
});

test('a study’s text has the tables and pictures that the report has, each marked with its place there', () => {
  for (const kind of studyKinds) {
    const results = [
      { label: 'head', run: madeResults('one'), test: madeEvaluation(right), fiveCrops: madeEvaluation(right) },
      { label: 'scratch', run: madeResults('two'), test: madeEvaluation(worse), fiveCrops: madeEvaluation(right) },
    ];
    const { markdown, figures } = studyText({ kind, results, missing: [] });
    assert.ok(markdown.split('_In the course report: ').length >= 3, kind);
    for (const { file, svg } of figures) {
      assert.ok(markdown.includes(`](${file})`), file);
      assert.match(svg, /^<svg .*<\/svg>$/su);
    }
    assert.equal(markdown.includes('## One crop against five'), kind === 'networks');
    const label = kind === 'methods' ? 'head only' : 'head';
    // 12 of 40 wrong by the second alone: p = 2 / 2^12, as statsmodels' mcnemar(exact=True) gives.
    assert.ok(
      markdown.includes(
        `| ${label} | ${kind === 'methods' ? 'from scratch' : 'scratch'} | 28 | 12 | 0 | 0 | 0.000488 |`,
      ),
      markdown,
    );
    assert.match(markdown, new RegExp(`Significant .*: ${label} is better than`, 'u'));
  }
});

test('a study’s numbers are of the best validation, the time of an epoch with its validations, and all images tested', () => {
  const {
    best,
    test: tested,
    secondsPerEpoch,
  } = numbersOf({ label: 'x', run: madeResults('x'), test: madeEvaluation(worse) });
  assert.deepEqual(best, { step: 4, accuracy: 0.75, loss: 0.75 });
  assert.equal(secondsPerEpoch, 2);
  assert.ok(tested);
  const { low, high, ...figures } = tested;
  assert.deepEqual(figures, { accuracy: 0.7, images: 40 });
  // statsmodels: proportion_confint(28, 40, method='wilson')
  assert.ok(Math.abs(low - 0.5457) < 1e-4 && Math.abs(high - 0.8193) < 1e-4, JSON.stringify(tested));
});

test('runs that failed or were left out are named with the reason, and one run alone is not compared', () => {
  const missing = [{ label: 'full', reason: 'no weights | here' }];
  const { markdown } = studyText({
    kind: 'methods',
    results: [{ label: 'scratch', run: madeResults('one') }],
    missing,
  });
  assert.match(markdown, /\*\*whole network\*\* is left out: no weights \\\| here/u);
  assert.ok(!markdown.includes('McNemar'));
});
