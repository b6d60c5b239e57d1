import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { similarSketches } from '../../../src/ml/data/similarSketches.ts';
import { sketchBytes } from '../../../src/ml/data/sketch.ts';
import { createSketchbook } from '../../../src/ml/data/sketchbook.ts';
import { seed } from '../engine/seed.ts';

/** A picture of four by four squares in a sketch's size; different for each name. */
function picture(name: string): Uint8Array {
  const random = createRandom(seed, name);
  const squares = Array.from({ length: 16 }, () => random.integer(256));
  return Uint8Array.from(
    { length: sketchBytes },
    (_, at) => squares[4 * Math.floor(at / 64) + Math.floor((at % 16) / 4)] ?? 0,
  );
}

/** The same with each level changed by 0, 1 or -1. */
function savedAnew(luma: Uint8Array, name: string): Uint8Array {
  const random = createRandom(seed, 'anew', name);
  return luma.map((value) => Math.min(255, Math.max(0, value + random.integer(3) - 1)));
}

function bookOf(sketches: readonly Uint8Array[], aspects: readonly number[] = []) {
  const files = sketches.map((_, index) => String(index));
  const book = createSketchbook(files);
  sketches.forEach((luma, index) => book.add(String(index), { luma, aspect: aspects[index] ?? 1.5 }));
  return book.sketches;
}

test('each of a thousand pictures is found together with its copies, and with no others', () => {
  const originals = Array.from({ length: 1000 }, (_, index) => picture(`picture ${index}`));
  const copies = originals.flatMap((luma, index) => [savedAnew(luma, `a ${index}`), savedAnew(luma, `b ${index}`)]);
  const groups = similarSketches(bookOf([...originals, ...copies]));
  assert.deepEqual(groups, originals.map((_, index) => [index, 1000 + 2 * index, 1001 + 2 * index])); // prettier-ignore
});

test('a picture that differs in one field by more than compression makes of it is another one', () => {
  const [one] = [picture('one')];
  const other = one.map((value, at) => (at === 40 ? (value + 128) % 256 : value));
  assert.deepEqual(similarSketches(bookOf([one, other])), []);
});

test('a picture that was squeezed to another ratio of sides is another one', () => {
  const one = picture('one');
  assert.deepEqual(similarSketches(bookOf([one, one, one], [1.5, 1, 1.51])), [[0, 2]]);
});

test('files without a sketch are in no group', () => {
  const book = createSketchbook(['a', 'b', 'c']);
  book.add('b', { luma: picture('one'), aspect: 1 });
  book.add('elsewhere', { luma: picture('one'), aspect: 1 });
  assert.deepEqual([book.has('a'), book.has('b'), book.has('elsewhere')], [false, true, false]);
  assert.deepEqual(similarSketches(book.sketches), []);
});

test('a hundred thousand files of one picture are one group, found without comparing each with each', () => {
  const one = picture('one');
  const groups = similarSketches(bookOf(Array.from({ length: 100_000 }, () => one)));
  assert.deepEqual([groups.length, groups[0]?.length], [1, 100_000]);
});
