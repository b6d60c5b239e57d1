import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineSplitter } from '../../../src/protocol/lines.ts';

function linesOf(pieces: readonly string[], longest: number) {
  const lines: string[] = [];
  const overlong: string[] = [];
  const take = lineSplitter(
    longest,
    (line) => lines.push(line),
    (line) => overlong.push(line),
  );
  for (const piece of pieces) take(piece);
  return { lines, overlong };
}

test('text in any pieces comes out as its lines, without blank ones and without one that has not ended', () => {
  const whole = 'one\n\n  \ntwo\nthree\nnot ended';
  for (const size of [1, 2, 3, 100]) {
    const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
      whole.slice(at * size, (at + 1) * size),
    );
    assert.deepEqual(linesOf(pieces, 10), { lines: ['one', 'two', 'three'], overlong: [] });
  }
});

test('of a line that is too long, ended or not, the beginning alone is kept', () => {
  assert.deepEqual(linesOf(['x'.repeat(9), 'y'.repeat(9)], 10), { lines: [], overlong: ['xxxxxxxxxy'] });
  assert.deepEqual(linesOf([`${'x'.repeat(11)}\nshort\n`], 10), { lines: ['short'], overlong: ['x'.repeat(10)] });
});
