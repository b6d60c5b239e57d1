import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { resize, squeeze } from '../../../src/ml/data/resize.ts';
import type { RgbImage } from '../../../src/ml/data/rgbImage.ts';
import { createRandom, type Random } from '../../../src/ml/graph/random.ts';
import { seed } from '../engine/seed.ts';

/** Width, height, pixels. */
const references: readonly (readonly [width: number, height: number, pixels: readonly number[]])[] = [
  [2, 2, [97, 109, 131, 133, 110, 110, 139, 131, 119, 117, 138, 125]],
  [
    3,
    3,
    [
      61, 98, 135, 135, 73, 110, 153, 146, 81, 113, 150, 132, 88, 125, 133, 132, 96, 133, 164, 124, 128, 139, 136, 116,
      110, 147, 107,
    ],
  ],
  [1, 1, [119, 119, 120]],
  [
    4,
    3,
    [
      41, 78, 115, 138, 101, 138, 118, 81, 118, 173, 152, 55, 93, 130, 135, 116, 153, 115, 96, 133, 170, 129, 70, 107,
      144, 136, 154, 167, 99, 91, 147, 184, 116, 84, 121, 113,
    ],
  ],
  [
    7,
    5,
    [
      0, 37, 74, 63, 100, 137, 143, 107, 144, 222, 3, 40, 118, 82, 119, 125, 162, 89, 188, 225, 6, 30, 67, 104, 93, 130,
      167, 122, 137, 174, 73, 33, 70, 97, 112, 149, 155, 115, 119, 218, 76, 36, 65, 102, 139, 128, 165, 129, 135, 172,
      117, 31, 68, 105, 110, 147, 184, 135, 117, 154, 125, 34, 71, 99, 136, 173, 162, 155, 90, 169, 151, 60, 65, 102,
      139, 144, 181, 163, 114, 151, 144, 31, 68, 105, 129, 166, 203, 192, 83, 120, 199, 53, 90, 95, 132, 169, 174, 211,
      65, 144, 181, 72, 61, 98, 135,
    ],
  ],
];

test('a resize is Pillow’s to the last bit, for reductions and enlargements', () => {
  // Pillow 9.4: Image.frombytes('RGB', (5, 4), bytes(i * 37 % 256 for i in range(60))).resize(size, Image.BILINEAR)
  const data = Uint8Array.from({ length: 60 }, (_, index) => (index * 37) % 256);
  const image = { width: 5, height: 4, data };
  for (const [width, height, expected] of references) {
    assert.deepEqual([...resize(image, width, height).data], expected, `${width} x ${height}`);
  }
});

/** From a size to another, the filter, and the digest of what Pillow 13 makes: some columns are level and some are not. */
const digests = [
  [341, 256, 339, 255, 'bilinear', 'f517e1db708d2701'],
  [341, 256, 339, 255, 'bicubic', '6c791b33d239dc6e'],
  [341, 256, 339, 255, 'lanczos', '26b386793354fbde'],
  [256, 341, 255, 339, 'bilinear', '50c84049cdddceb1'],
  [256, 341, 255, 339, 'bicubic', '2f73fabde796fa0c'],
  [256, 341, 255, 339, 'lanczos', '3ff3db64d11d44b6'],
  [300, 200, 256, 170, 'bilinear', '64731b2648d2464b'],
  [300, 200, 256, 170, 'bicubic', '0f859c8c47167b23'],
  [300, 200, 256, 170, 'lanczos', '6078781b2089ab63'],
  [64, 64, 63, 63, 'bilinear', '3dcdd43db268935b'],
  [64, 64, 63, 63, 'bicubic', 'b3a7d742c63980ff'],
  [64, 64, 63, 63, 'lanczos', '862e1bb365d54f78'],
  [50, 40, 53, 42, 'bilinear', 'd56df9f378271f42'],
  [50, 40, 53, 42, 'bicubic', 'c48d88ecd56a6970'],
  [50, 40, 53, 42, 'lanczos', '869706377edc2d77'],
  [257, 131, 64, 33, 'bilinear', 'ae387794f609cb77'],
  [257, 131, 64, 33, 'bicubic', '0a28f0023cace327'],
  [257, 131, 64, 33, 'lanczos', '1bd11cce51fccc6f'],
  [200, 10, 199, 9, 'bilinear', '0a69004129d860ea'],
  [200, 10, 199, 9, 'bicubic', '1b76cd1b23d7cb8f'],
  [200, 10, 199, 9, 'lanczos', '7464fe640b74409f'],
  [37, 5, 36, 5, 'bilinear', '290e2612e7a142c8'],
  [37, 5, 36, 5, 'bicubic', 'b6d84bd5d421885d'],
  [37, 5, 36, 5, 'lanczos', '6a7817a269e5a809'],
] as const;

for (const [fromWidth, fromHeight, width, height, filter, expected] of digests) {
  test(`${fromWidth} x ${fromHeight} become ${width} x ${height} as in Pillow, ${filter}`, () => {
    const data = Uint8Array.from({ length: fromWidth * fromHeight * 3 }, (_, i) => Math.floor((i * i) / 7) + i * 37 + (i >> 6) * 11); // prettier-ignore
    const resized = resize({ width: fromWidth, height: fromHeight, data }, width, height, filter);
    assert.equal(createHash('sha256').update(resized.data).digest('hex').slice(0, 16), expected);
  });
}

function randomImage(random: Random, sides: { least: number; most: number }): RgbImage {
  const side = () => sides.least + random.integer(sides.most - sides.least + 1);
  const [width, height] = [side(), side()];
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => random.integer(256)) };
}

test('the same size gives the same pixels, whatever the size', () => {
  const random = createRandom(seed, 'the same size');
  for (let round = 0; round < 50; round++) {
    const image = randomImage(random, { least: 1, most: 40 });
    const { width, height, data } = image;
    assert.deepEqual([...resize(image, width, height).data], [...data], `${width}x${height}`);
  }
});

test('what is squeezed is within a level of what is resized', () => {
  const random = createRandom(seed, 'squeezed');
  for (let round = 0; round < 30; round++) {
    const image = randomImage(random, { least: 8, most: 307 });
    const exact = resize(image, 16, 16).data;
    const squeezed = squeeze(image, 16, 16);
    const furthest = exact.reduce((most, level, at) => Math.max(most, Math.abs(level - (squeezed[at] ?? -9))), 0);
    assert.ok(furthest <= 1, `${furthest} levels in ${image.width}x${image.height}`);
  }
});
