import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pythonNames } from '../../../src/ml/inference/pythonNames.ts';
import { ultralyticsFacts } from '../../../src/ml/inference/ultralyticsFacts.ts';

test('names are read as Python writes a dictionary, and nothing else is', () => {
  const cases: readonly (readonly [text: string, names: readonly string[] | undefined])[] = [
    [`{0: 'cat', 1: "dog's", 2: 'a "b"'}`, ['cat', 'dog’s'.replace('’', "'"), 'a "b"']],
    [String.raw`{0: 'it\'s "x"', 1: 'tab\t', 2: '\xe9\u540d\U0001f339', 3: '\\'}`, ["it's \"x\"", 'tab\t', 'é名🌹', '\\']], // prettier-ignore
    [`{0:'a',1:'}'}`, ['a', '}']],
    ['{}', undefined],
    [`{1: 'a'}`, undefined],
    [`{0: 'a', 2: 'b'}`, undefined],
    [`{0: 'a', 1: 'b'`, undefined],
    [`{0: 'a'} + x`, undefined],
    [`{0: open('x')}`, undefined],
    [`['a', 'b']`, undefined],
    ['', undefined],
  ];
  for (const [text, names] of cases) assert.deepEqual(pythonNames(text), names, text);
});

const metadata = { author: 'Ultralytics', task: 'classify', names: "{0: 'cat', 1: 'dog'}", imgsz: '[96, 96]' };

test('a file of Ultralytics’ says its classes and pixels', () => {
  assert.deepEqual(ultralyticsFacts('x.onnx', { metadata: new Map(Object.entries(metadata)) }), {
    preprocessing: { resize: 96, crop: 96, scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1], channels: 'rgb' },
    labels: [
      { index: 0, folder: 'cat', name: 'cat' },
      { index: 1, folder: 'dog', name: 'dog' },
    ],
    calibration: undefined,
  });
  assert.equal(ultralyticsFacts('x.onnx', { metadata: new Map([['author', 'someone']]) }), undefined);
});

test('a file of Ultralytics’ that does not classify square color images is refused', () => {
  const cases = [
    [{ task: 'detect' }, /for the task detect: give one for classify/],
    [{ names: 'oops' }, /metadata `names` cannot be used/],
    [{ imgsz: '[96, 128]' }, /metadata `imgsz` cannot be used/],
    [{ channels: '1' }, /metadata `channels` cannot be used/],
  ] as const;
  for (const [change, why] of cases) {
    const changed = new Map(Object.entries({ ...metadata, ...change }));
    assert.throws(() => ultralyticsFacts('x.onnx', { metadata: changed }), why);
  }
});
