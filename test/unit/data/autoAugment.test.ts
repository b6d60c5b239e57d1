import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { augment } from '../../../src/ml/data/augment.ts';
import { magnitudeAt, magnitudeSteps, randAugment, trivialAugment } from '../../../src/ml/data/autoAugment.ts';
import { applyOperation, operationNames, type OperationName } from '../../../src/ml/data/imageOperations.ts';
import { drawMix } from '../../../src/ml/data/mixBatch.ts';
import { drawErasedBox } from '../../../src/ml/data/randomErasing.ts';
import type { RgbImage } from '../../../src/ml/data/rgbImage.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';

interface Fixture {
  readonly operations: readonly { name: OperationName; magnitude: number; image: number; kept: string }[];
  readonly magnitudes: Readonly<
    Record<'trivial' | 'rand', Record<OperationName, { signed: boolean; values: number[] | null }>>
  >;
  readonly erasing: Readonly<Record<'area' | 'ratio' | 'top' | 'left', readonly number[]>>;
  readonly cutmix: readonly number[];
}

/** Written by torchvision_augment.py beside it, which says what is kept. */
const file = join(import.meta.dirname, '../../fixtures/torchvision_augment.json');
const torchvision = JSON.parse(readFileSync(file, 'utf8')) as Fixture;
const size = 48;

/** The images of the script. */
function drawn(image: number): Uint8Array {
  return Uint8Array.from({ length: 3 * size * size }, (_, at) => {
    const [channel, y, x] = [Math.floor(at / (size * size)), Math.floor(at / size) % size, at % size];
    if (image === 0) {
      const wave = (x * (2 + channel) + y * (6 - 2 * channel) + channel * 85) % 510;
      return Math.min(255, wave, 510 - wave);
    }
    const noise = Math.imul((y * size + x) * 3 + channel, 2654435761 | 0) >>> 24;
    return Math.min(255, 40 + Math.floor((noise * 150) / 255) + 20 * channel);
  });
}

for (const name of operationNames) {
  test(`${name} is torchvision’s on Pillow images, to within one level`, () => {
    const cases = torchvision.operations.filter((reference) => reference.name === name);
    assert.ok(cases.length >= 2);
    for (const { magnitude, image, kept } of cases) {
      const planes = drawn(image);
      applyOperation(planes, size, name, magnitude);
      const ours = planes.filter((_, at) => (at % size) % 5 === 0 && (Math.floor(at / size) % size) % 5 === 0);
      assert.equal(ours.length * 2, kept.length);
      const worst = ours.reduce((most, value, at) => Math.max(most, Math.abs(value - parseInt(kept.slice(2 * at, 2 * at + 2), 16))), 0); // prettier-ignore
      assert.ok(worst <= 1, `${name} ${magnitude} of image ${image} is ${worst} levels off`);
    }
  });
}

test('the tables of magnitudes are torchvision’s', () => {
  for (const kind of ['trivial', 'rand'] as const) {
    assert.deepEqual(Object.keys(torchvision.magnitudes[kind]).sort(), [...operationNames].sort());
    for (const [name, { values }] of Object.entries(torchvision.magnitudes[kind])) {
      for (let step = 0; step < magnitudeSteps; step++) {
        const ours = magnitudeAt(kind, name as OperationName, step, 224);
        const expected = values?.[step] ?? 0;
        assert.ok(Math.abs(ours - expected) <= 1e-5 * Math.max(1, Math.abs(expected)), `${kind} ${name} ${step}: ${ours}, not ${expected}`); // prettier-ignore
      }
    }
  }
});

function quantiles(values: number[]): number[] {
  const sorted = values.sort((a, b) => a - b);
  return [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN);
}

function assertClose(ours: number[], expected: readonly number[], tolerance: number): void {
  expected.forEach((value, index) => {
    assert.ok(Math.abs((ours[index] ?? NaN) - value) <= tolerance, `quantile ${index}: ${ours[index]}, not ${value}`);
  });
}

test('erased rectangles have torchvision’s distribution of area, shape and place', () => {
  const boxes = Array.from({ length: 40_000 }, (_, seed) => drawErasedBox(224, createRandom(seed, 'erase')));
  const found = boxes.flatMap((box) => (box ? [box] : []));
  const { area, ratio, top, left } = torchvision.erasing;
  assertClose(quantiles(found.map(({ width, height }) => (width * height) / 224 ** 2)), area, 0.004);
  assertClose(quantiles(found.map(({ width, height }) => height / width)), ratio, 0.04);
  assertClose(quantiles(found.map((box) => box.top)), top, 3);
  assertClose(quantiles(found.map((box) => box.left)), left, 3);
});

test('what CutMix leaves of an image has torchvision’s distribution', () => {
  const mixes = Array.from({ length: 40_000 }, (_, seed) => drawMix({ mixup: 0, cutmix: 1 }, 224, createRandom(seed, 'cut'))); // prettier-ignore
  assertClose(quantiles(mixes.map((mix) => mix?.own ?? NaN)), torchvision.cutmix, 0.012);
});

function image(): RgbImage {
  const random = createRandom('image');
  return { width: 60, height: 50, data: Uint8Array.from({ length: 60 * 50 * 3 }, () => random.integer(256)) };
}

test('the same seed gives the same pixels, and each kind changes them', () => {
  const seen = new Set<string>();
  for (const kind of ['none', 'crop', 'trivial', 'rand'] as const) {
    const first = augment(image(), kind, 32, createRandom(5));
    assert.deepEqual(augment(image(), kind, 32, createRandom(5)), first);
    seen.add(first.join());
  }
  assert.equal(seen.size, 4);
});

test('every operation comes up, alone in TrivialAugment and as often as asked for in RandAugment', () => {
  const changed = Array.from({ length: 300 }, (_, seed) => {
    const planes = drawn(1);
    trivialAugment(planes, size, createRandom(seed));
    return planes.join();
  });
  assert.ok(new Set(changed).size > 100);
  const untouched = drawn(1);
  randAugment(untouched, size, { ops: 0, magnitude: 9 }, createRandom(1));
  assert.deepEqual(untouched, drawn(1));
});

test('flips and quarter turns only move pixels, and erasing paints one rectangle in the given colour', () => {
  const plain = augment(image(), 'none', 32, createRandom(1));
  const sorted = (planes: Uint8Array) => planes.slice(0, 1024).sort().join();
  const turned = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const planes = augment(image(), 'none', 32, createRandom(seed), undefined, {
      verticalFlip: true,
      quarterTurns: true,
    });
    assert.equal(sorted(planes), sorted(plain));
    turned.add(planes.join());
  }
  assert.equal(turned.size, 8);
  const erased = augment(image(), 'none', 32, createRandom(3), undefined, { erase: 1, erased: [1, 2, 3] });
  const changed = [0, 1, 2].map((channel) => {
    const at = (index: number) => channel * 1024 + index;
    return Array.from({ length: 1024 }, (_, index) => index).filter((index) => {
      if (erased[at(index)] === plain[at(index)]) return false;
      assert.equal(erased[at(index)], channel + 1);
      return true;
    }).length;
  });
  assert.ok(changed.every((count) => count > 15 && count < 400));
});
