import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csv, parseCsv } from '../../../src/protocol/csv.ts';
import { measureOf, slicesByColumn, slicesByNumber, slicesByPath } from '../../../src/protocol/slices.ts';

/** An image whose short side is `side`, predicted right or wrong. */
function imageOf(image: string, side: number, right = true) {
  const look = { width: side, height: side + 1, sharpness: 1, brightness: 2 * side };
  return { image, actual: 0, predicted: right ? 0 : 1, probability: 0.9, actualProbability: right ? 0.9 : 0.1, look };
}

test('numbers are cut into quarters, images of the same value stay together, and each slice has its accuracy', () => {
  const sides = [10, 10, 10, 20, 30, 40, 50, 60];
  const results = sides.map((side, place) => imageOf(`${place}.jpg`, side, place !== 0));
  const slices = slicesByNumber(results.toReversed(), (result) => measureOf(result, 'size'));
  assert.deepEqual(
    slices.map(({ name, results: own, accuracy }) => [name, own.length, accuracy]),
    [
      ['10', 3, 2 / 3],
      ['20', 1, 1],
      ['30 to 40', 2, 1],
      ['50 to 60', 2, 1],
    ],
  );
  // statsmodels' proportion_confint(2, 3, method='wilson').
  const { low = 0, high = 0 } = slices[0]?.interval ?? {};
  assert.ok(
    Math.abs(low - 0.2076596008020477) < 1e-12 && Math.abs(high - 0.9385080552796037) < 1e-12,
    `${low} ${high}`,
  );
});

test('a result from before images were measured has no slices by a measure', () => {
  const { look, ...former } = imageOf('a.jpg', 9);
  assert.ok(look.brightness === 18 && measureOf(imageOf('a.jpg', 9), 'brightness') === 18);
  assert.deepEqual(slicesByNumber([former], (result) => measureOf(result, 'brightness')), []); // prettier-ignore
});

test('a pattern is looked for in the path within the data alone, and only its stars are special', () => {
  const paths = ['test/1/a.garden.jpg', 'test/1/agarden.jpg', 'test/garden/b.jpg', 'test/2/c.jpg'];
  const results = paths.map((path) => imageOf(`/home/garden/flowers/${path}`, 9));
  const found = (pattern: string) => {
    const [own, others] = slicesByPath({ data: '/home/garden/flowers', results }, pattern);
    return [own?.name, own?.results.length, others?.name, others?.results.length];
  };
  assert.deepEqual(found('garden'), ['garden', 3, 'not garden', 1]);
  assert.deepEqual(found('a.garden'), ['a.garden', 1, 'not a.garden', 3]);
  assert.deepEqual(found('TEST/*/c'), ['TEST/*/c', 1, 'not TEST/*/c', 3]);
});

test('a column of texts has a slice for each, of many numbers four, and images without a row are in none', () => {
  const results = Array.from({ length: 13 }, (_, place) => imageOf(`${place}`, 9));
  const byTexts = slicesByColumn(results, ({ image }) => ['phone', 'phone', 'mirror'][Number(image)]);
  assert.deepEqual(byTexts.map(({ name, results: own }) => [name, own.length]), [['phone', 2], ['mirror', 1]]); // prettier-ignore
  const byNumbers = slicesByColumn(results, ({ image }) => (image === '12' ? undefined : `${Number(image) / 2}`));
  assert.deepEqual(byNumbers.map(({ results: own }) => own.length), [3, 3, 3, 3]); // prettier-ignore
  const byFew = slicesByColumn(results, ({ image }) => `${Number(image) % 3}`);
  assert.deepEqual(byFew.map(({ name }) => name), ['0', '1', '2']); // prettier-ignore
});

test('CSV is read as it is written, with quotes, commas and line ends in fields', () => {
  const rows = [
    ['image', 'said "so"', 'a, b'],
    ['x.jpg', 'two\nlines', ''],
  ];
  assert.deepEqual(parseCsv(csv(rows)), rows);
  assert.deepEqual(parseCsv('\uFEFFa,b\n\n1,2\r\n3,'), [['a', 'b'], ['1', '2'], ['3', '']]); // prettier-ignore
  assert.throws(() => parseCsv('a,b\n1,"2'), /a quote is wrong in line 2/u);
});
