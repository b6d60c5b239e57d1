import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testsInFile } from '../../../src/extension/tests/testsInFile.ts';
import { expectedImagesSchema, unmetMessage } from '../../../src/extension/tests/unmetMessage.ts';

const text = `{
  "version": 1,
  "tests": [
    { "name": "a", "data": "d", "accuracy": 0.9 },\r
    {
      "name": "ä", "data": "d",
      "recall": { "rose": 0.8, "daisy": 0.7 },
      "slices": [{ "by": "size", "accuracy": 0.5 }, { "by": "path:x/", "accuracy": 0.4 }],
      "baseline": { "checkpoint": "runs/before" }
    },
    { "name": "a", "data": "d", "top5": 1, "macroF1": 0.5 }
  ]
}
`;

/** The part of the text that an expectation of a test stands for. */
function partOf({ start, end }: { start: Place; end: Place }): string {
  const lines = text.split('\n');
  const before = (line: number) => lines.slice(0, line).join('\n').length + (line > 0 ? 1 : 0);
  return text.slice(before(start.line) + start.character, before(end.line) + end.character);
}
type Place = { line: number; character: number };

test('tests and expectations of a file stand where they are written', () => {
  const tests = testsInFile('/w/fivecrop.tests.json', text);
  assert.deepEqual(
    tests.map(({ expectations }) => expectations.map(({ at, span }) => [at, partOf(span)])),
    [
      [[['accuracy'], '"accuracy": 0.9']],
      [
        [['recall', 'rose'], '"rose": 0.8'],
        [['recall', 'daisy'], '"daisy": 0.7'],
        [['slices', 0], '{ "by": "size", "accuracy": 0.5 }'],
        [['slices', 1], '{ "by": "path:x/", "accuracy": 0.4 }'],
        [['baseline'], '"baseline": { "checkpoint": "runs/before" }'],
      ],
      [
        [['top5'], '"top5": 1'],
        [['macroF1'], '"macroF1": 0.5'],
      ],
    ],
  );
  assert.equal(tests[0] && partOf(tests[0].span), '{ "name": "a", "data": "d", "accuracy": 0.9 }');
  assert.equal(new Set(tests.map(({ id }) => id)).size, 3, 'tests of one name are told apart');
  assert.deepEqual(
    tests.flatMap(({ expectations }) => expectations.map(({ label }) => label)),
    [
      'Accuracy at least 0.9',
      'Recall of rose at least 0.8',
      'Recall of daisy at least 0.7',
      'Accuracy of each slice by size at least 0.5',
      'Accuracy of each slice by path:x/ at least 0.4',
      'Not worse than runs/before (p at least 0.05)',
      'Top-5 accuracy at least 1',
      'Mean F1 at least 0.5',
    ],
  );
});

test('a file that is no file of tests is told in a sentence', () => {
  const read = (content: string) => () => testsInFile('/w/t.json', content);
  assert.throws(read('{'), { name: 'UserError', message: '/w/t.json cannot be used: it is not valid JSON.' });
  assert.throws(read('{"version":1,"version":1}'), /names "version" twice/u);
  assert.throws(read('{"version":1,"tests":[{"name":"a","data":"d","accuracy":90}]}'), {
    name: 'UserError',
    message: 'Correct tests.0.accuracy in /w/t.json: expected a number from 0 to 1.',
  });
  assert.throws(read('{"version":1,"tests":[]}'), /holds no test/u);
});

test('a message says what was found of which images, and links to those that are wrong', () => {
  const made = {
    checkpoint: '/w/a (1).safetensors',
    data: '/w/my [data]',
    split: 'test',
    crops: 5,
    images: 20,
  } as const;
  const unmet = { at: ['accuracy'], expected: 'accuracy at least 0.9', found: '0.8500', isMet: false };
  const message = unmetMessage({ ...unmet, images: ['/w/1.png', '/w/2.png', '/w/3.png'] }, made, 'k');
  const [said, link = ''] = message.split('\n\n');
  assert.equal(
    said,
    String.raw`Expected accuracy at least 0.9; found 0.8500. Tested on 20 images of my \[data\] (test, five crops).`,
  );
  const [, title, args = ''] = /^\[(.*)\]\(command:fivecrop\.showExpectedImages\?([^()]*)\)$/u.exec(link) ?? [];
  assert.equal(title, 'Show the 3 images');
  const { images, ...shown } = made;
  assert.equal(images, 20);
  assert.deepEqual(expectedImagesSchema.parse(...(JSON.parse(decodeURIComponent(args)) as [unknown])), {
    ...shown,
    key: 'k',
  });
  assert.doesNotMatch(unmetMessage({ ...unmet, images: [] }, made, 'k'), /command:/u);
});
