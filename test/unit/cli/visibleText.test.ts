import assert from 'node:assert/strict';
import { test } from 'node:test';
import stringWidth from 'string-width';
import { endingOf } from '../../../src/ml/cli/failure.ts';
import { createOutput } from '../../../src/ml/cli/output.ts';
import { createProgress } from '../../../src/ml/cli/progress.ts';
import { formatTable } from '../../../src/ml/cli/table.ts';
import { userError } from '../../../src/protocol/errors.ts';
import { shellWord } from '../../../src/protocol/shellWord.ts';
import { visible, visibleJson, visibleLines } from '../../../src/protocol/visibleText.ts';

/** Names that would clear the screen, set the title, go back, break the line, turn text round, or hide. */
const hostile = [
  '\u001b[2Jgone',
  '\u001b]0;title\u0007',
  'a\rb\bc\td\ne\u0000',
  '\u009b31mred\u0085',
  'gpj.\u202eexe\u202c\u2066x\u2069',
  'ze\u200bro\ufeff\u2028line',
  'tag\u{e0041}\u{e007f}',
];
// eslint-disable-next-line no-control-regex -- these must not be printed
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u;

async function written(stream: NodeJS.WriteStream, work: () => void): Promise<string> {
  const write = stream.write.bind(stream);
  let text = '';
  stream.write = (chunk: unknown) => {
    text += String(chunk);
    return true;
  };
  try {
    work();
    return await Promise.resolve(text);
  } finally {
    stream.write = write;
  }
}

test('characters that a terminal obeys or hides show as symbols, on one line', () => {
  assert.equal(visible('\u001b[2J\r\n\u007f'), '␛[2J␍␊␡');
  assert.equal(visible('\u009b31m\u202e\u{e0041}'), '\\u009b31m\\u202e\\u{e0041}');
  assert.equal(visibleLines('a\n\u001bb'), 'a\n␛b');
  const unchanged = 'Rosé 中文 नमस्ते 👨‍👩‍👧 می‌خواهم ½ \\u001b';
  assert.equal(visible(unchanged), unchanged);
});

test('every way of printing a line shows hidden characters as symbols', async () => {
  for (const name of hostile) {
    const output = createOutput(false);
    const progress = createProgress(true);
    const texts = [
      await written(process.stdout, () => output.print(`${name} is a class`)),
      await written(process.stderr, () => output.say(`${name} is left out`)),
      await written(process.stderr, () => progress.line(`${name} is left out`)),
      ...formatTable(['class', 'name'], [[name, name]]),
      endingOf(userError(`${name} is wrong.`)).message ?? '',
    ];
    for (const text of texts) {
      assert.doesNotMatch(text, obeyed);
      assert.ok(text.trimEnd().split('\n').length === 1, JSON.stringify(text));
    }
  }
});

test('--json prints the exact value without a character that a terminal obeys', async () => {
  const value = { hostile, other: 'Rosé 👨‍👩‍👧' };
  const text = await written(process.stdout, () => createOutput(true).object(value));
  assert.doesNotMatch(text, obeyed);
  assert.deepEqual(JSON.parse(text), value);
  assert.equal(visibleJson({ a: 'Rosé' }), '{"a":"Rosé"}');
});

test('columns line up below wide, combining and very long names', () => {
  const names = ['中文名字', 'cafe\u0301', '👨‍👩‍👧', 'x'.repeat(300), '文'.repeat(200), 'plain'];
  const lines = formatTable(
    ['class', 'n', 'what'],
    names.map((name) => [name, '1', 'end'.repeat(40)]),
  );
  const widths = lines.slice(1).map((line) => stringWidth(line.slice(0, line.indexOf('endend'))));
  assert.equal(new Set(widths).size, 1, String(widths));
  assert.ok((widths[0] ?? 0) <= 66);
  assert.ok(lines.every((line) => !line.includes('x'.repeat(60))));
});

test('a path in a command that is meant to be copied is one word for the shell', () => {
  assert.equal(shellWord('runs/a-1/best.safetensors', 'linux'), 'runs/a-1/best.safetensors');
  assert.equal(shellWord('runs/$(touch x) `y`', 'linux'), "'runs/$(touch x) `y`'");
  assert.equal(shellWord("it's", 'linux'), "'it'\\''s'");
  assert.equal(shellWord('C:\\runs\\a b', 'win32'), '"C:\\runs\\a b"');
});
