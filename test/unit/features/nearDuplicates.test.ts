import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import process from 'node:process';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import type { Luma } from '../../../src/ml/data/imageQuality.ts';
import { nearDuplicates } from '../../../src/ml/features/nearDuplicates.ts';
import { gridBytes, lumaGrid, pictureLikeness, symmetricLooks } from '../../../src/ml/features/samePicture.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { nearestNeighbours } from '../../../src/ml/features/neighbours.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';

const seed = Number(process.env['FIVECROP_SEED'] ?? randomInt(2 ** 31));
console.log(`seed ${seed}`);

/** Pictures of some blots each. */
function blots(name: number, side = 200): Sharp {
  const random = createRandom(seed, 'blots', name);
  const spots = Array.from({ length: 12 }, () => ({ x: random.next(), y: random.next(), r: 0.05 + 0.2 * random.next(), grey: random.integer(256) })); // prettier-ignore
  const pixels = Buffer.alloc(side * side, random.integer(256));
  for (const { x, y, r, grey } of spots) {
    for (let at = 0; at < pixels.length; at++) if (Math.hypot((at % side) / side - x, Math.floor(at / side) / side - y) < r) pixels[at] = grey; // prettier-ignore
  }
  return sharp(pixels, { raw: { width: side, height: side, channels: 1 } });
}

async function gridOf(image: Sharp): Promise<Uint8Array> {
  const { data, info } = await sharp(await image.png().toBuffer()).greyscale().raw().toBuffer({ resolveWithObject: true }); // prettier-ignore
  const luma: Luma = { width: info.width, height: info.height, values: Float32Array.from(data.subarray(0, info.width * info.height)) }; // prettier-ignore
  return lumaGrid(luma);
}

function likenessOf(a: Uint8Array, b: Uint8Array): number {
  return pictureLikeness(Uint8Array.from([...a, ...b]))(0, 1);
}

test('a picture stays the same however it is saved, resized, brightened, cropped a little, turned or mirrored', async () => {
  for (let name = 0; name < 5; name++) {
    const picture = () => blots(name);
    const original = await gridOf(picture());
    const copies: [string, Sharp][] = [
      ['saved with quality 10', sharp(await picture().jpeg({ quality: 10 }).toBuffer())],
      ['resized', picture().resize(60, 60)],
      ['brightened', picture().linear(0.7, 40)],
      ['cropped', picture().extract({ left: 12, top: 12, width: 176, height: 176 })],
      ['turned', picture().rotate(90)],
      ['mirrored', picture().flop()],
      ['mirrored and turned', picture().flip().rotate(270)],
    ];
    for (const [what, copy] of copies) {
      const likeness = likenessOf(original, await gridOf(copy));
      assert.ok(likeness > 0.95, `${name} ${what}: ${likeness}`);
      assert.ok(Math.abs(likeness - likenessOf(await gridOf(copy), original)) < 0.02, 'the other way round');
    }
    assert.ok(likenessOf(original, await gridOf(blots(name + 100))) < 0.95);
  }
});

test('pictures look alike, however they are turned or mirrored, and never less than they are alike', async () => {
  const turned = [0, 90, 180, 270].flatMap((angle) => [blots(0).rotate(angle), blots(0).flop().rotate(angle)]);
  const others = [1, 2, 3, 4, 5, 6].map((name) => blots(name));
  const grids = Uint8Array.from((await Promise.all([...turned, ...others].map(gridOf))).flatMap((grid) => [...grid]));
  const { width, features } = symmetricLooks(grids);
  const look = (at: number) => features.subarray(at * width, (at + 1) * width);
  const product = (at: number) => look(0).reduce((sum, value, column) => sum + value * (look(at)[column] ?? 0), 0);
  turned.forEach((_, at) => assert.ok(Math.abs(product(at) - 1) < 1e-3, `turn ${at}: ${product(at)}`));
  const alike = pictureLikeness(grids);
  others.forEach((_, other) => {
    const at = turned.length + other;
    // From 0.6 on pictures that are cropped may be more alike.
    if (alike(0, at) < 0.6)
      assert.ok(product(at) > alike(0, at) - 1e-5 && product(at) < 0.999, `${other}: ${product(at)}`);
  });
});

test('an image of one color is like no other', () => {
  const plain = new Uint8Array(gridBytes).fill(90);
  assert.equal(likenessOf(plain, plain), 0);
});

const noLookAlikes = { count: 1, rows: new Int32Array() };

/** Rows on a line whose neighbours lie beside them, with these cosines to the next row. */
function neighboursOf(cosines: readonly number[], count = 2) {
  const rows = cosines.length;
  const found = { count, rows: new Int32Array(rows * count).fill(-1), cosines: new Float32Array(rows * count).fill(-Infinity) }; // prettier-ignore
  for (let row = 0; row < rows; row++) {
    for (const [place, other] of [row + 1, row - 1].entries()) {
      if (other < 0 || other >= rows) continue;
      found.rows[row * count + place] = other;
      found.cosines[row * count + place] = cosines[Math.min(row, other)] ?? 0;
    }
  }
  return found;
}

test('near-duplicates are neighbours whose features or whose pictures are nearly the same, each pair once', async () => {
  const rows = 12;
  const grids = new Uint8Array(rows * gridBytes);
  for (let row = 0; row < rows; row++) grids.set(await gridOf(blots(row)), row * gridBytes);
  grids.set(await gridOf(blots(3).flop()), 4 * gridBytes);
  const cosines = Array.from({ length: rows }, (_, row) => (row === 7 ? 0.97 : 0.6));
  const found = nearDuplicates({ grids }, neighboursOf(cosines), noLookAlikes);
  assert.deepEqual(found.map(({ row, twin }) => [row, twin]), [[4, 3], [8, 7]]); // prettier-ignore
  assert.ok(Math.abs((found[1]?.score ?? 0) - 0.97) < 1e-6 && (found[0]?.score ?? 0) > 0.99);
});

test('a turned copy is a near-duplicate too if its features are far from those of the picture', async () => {
  const rows = 12;
  const grids = new Uint8Array(rows * gridBytes);
  for (let row = 0; row < rows; row++) grids.set(await gridOf(blots(row)), row * gridBytes);
  grids.set(await gridOf(blots(2).rotate(90)), 9 * gridBytes);
  const kept = () => true;
  const lookAlikes = await nearestNeighbours(symmetricLooks(grids), kept, 1, { engine: onnxEngine, device: 'cpu' });
  const found = nearDuplicates({ grids }, neighboursOf(Array.from({ length: rows }, () => 0.6)), lookAlikes);
  assert.deepEqual(found.map(({ row, twin }) => [row, twin]), [[9, 2]]); // prettier-ignore
});

test('where the features of most neighbours are nearly the same, only those that are far nearer are near-duplicates', () => {
  const grids = new Uint8Array(40 * gridBytes);
  const cosines = Array.from({ length: 40 }, (_, row) => (row === 20 ? 0.999 : 0.96 + row / 4000));
  assert.deepEqual(nearDuplicates({ grids }, neighboursOf(cosines), noLookAlikes).map(({ row, twin }) => [row, twin]), [[21, 20]]); // prettier-ignore
});

test('where most images are there many times over, the copies are near-duplicates, however their cosines are rounded', () => {
  const grids = new Uint8Array(40 * gridBytes);
  const cosines = Array.from({ length: 40 }, (_, row) => 1 - (row % 3) * 2 ** -24);
  assert.equal(nearDuplicates({ grids }, neighboursOf(cosines), noLookAlikes).length, 39);
});
