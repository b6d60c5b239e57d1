import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WhatMattered } from '../../../src/charts/whatMattered.ts';
import { matteredSentence, sweepMarkdown } from '../../../src/ml/results/sweepMarkdown.ts';
import type { TrialStanding } from '../../../src/protocol/sweepStandings.ts';

const trials: TrialStanding[] = [
  {
    ...{ trial: 2, settings: { hidden: [512], learningRate: 0.001 }, state: 'finished', run: 'a|b-2' },
    ...{ accuracy: 0.9134, loss: 0.3, epochs: 9 },
  },
  { trial: 1, settings: { hidden: [], learningRate: 0.1 }, state: 'failed', reason: 'no memory' },
];
const found: WhatMattered = {
  ...{ kind: 'found', trials: 24, epochs: 1, explained: 0.62 },
  settings: [
    { setting: 'learningRate', importance: 1.25 },
    { setting: 'hidden', importance: 0.04 },
  ],
};

test('a sweep in Markdown has its trials, of which images their figures are, and what mattered', () => {
  const text = sweepMarkdown('heads', trials, found);
  assert.ok(text.includes('| Trial | Validation accuracy | Epochs | State | Run | hidden | learning rate |'), text);
  assert.ok(text.includes('| 2 | 91.3 % | 9 | finished | a\\|b-2 | \\[512\\] | 0.001 |'), text);
  assert.ok(text.includes('| 1 |  |  | failed: no memory |  | \\[\\] | 0.1 |'), text);
  assert.match(text, /best on the validation images/u);
  assert.ok(text.includes('| learning rate | 1.250 |\n| hidden | 0.040 |'), text);
});

test('the sentence says of how many trials, and that few give a hint', () => {
  assert.match(matteredSentence(found), /of 24 trials by their validation accuracy after 1 epoch:.*0\.62.*a hint/u);
  assert.doesNotMatch(matteredSentence({ ...found, trials: 60 }), /hint/u);
  assert.match(
    matteredSentence({ kind: 'too few', trials: 1, needed: 12 }),
    /from 12 trials with a score; there is 1\.$/u,
  );
  assert.match(matteredSentence({ kind: 'unexplained', trials: 30, epochs: 2 }), /cannot be told of 30 trials/u);
});
