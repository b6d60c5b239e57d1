import assert from 'node:assert/strict';
import { symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { UserError } from '../../../src/protocol/errors.ts';
import { decodedEndings } from '../../../src/protocol/imageFiles.ts';
import { decodeImage } from '../../../src/ml/data/decodeImage.ts';
import { resizedSize } from '../../../src/ml/data/rgbImage.ts';
import { noiseImage, temporaryFolder } from './temporaryImages.ts';

/** An image whose left half is one colour and its right half another, `channels` values each. */
function halves(width: number, height: number, left: readonly number[], right: readonly number[]) {
  const channels = left.length as 1 | 2 | 3 | 4;
  const rows = Array.from({ length: width * height }, (_, at) => (at % width < width / 2 ? left : right));
  return sharp(Buffer.from(rows.flat()), { raw: { width, height, channels } });
}

async function decoded(t: TestContext, name: string, content: Uint8Array, shortSide: number) {
  const file = join(await temporaryFolder(t), name);
  await writeFile(file, content);
  const image = await decodeImage(file, shortSide);
  const pixel = (x: number, y: number) => [...image.data.subarray((y * image.width + x) * 3).subarray(0, 3)];
  return { ...image, pixel };
}

function assertNear(actual: readonly number[], expected: readonly number[], limit = 3): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, at) =>
    assert.ok(Math.abs(value - (expected[at] ?? 0)) <= limit, `${actual.join(' ')} is not ${expected.join(' ')}`),
  );
}

const red = [220, 30, 20];
const blue = [10, 40, 200];

for (const format of ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const) {
  test(`${format} is decoded to RGB and resized`, async (t) => {
    const content = await halves(80, 60, red, blue).toFormat(format, { quality: 95 }).toBuffer();
    const image = await decoded(t, `image.${format}`, content, 30);
    assert.deepEqual([image.width, image.height, image.data.length], [40, 30, 40 * 30 * 3]);
    assert.deepEqual(image.source, { width: 80, height: 60 });
    assertNear(image.pixel(5, 15), red, 8);
    assertNear(image.pixel(35, 15), blue, 8);
  });
}

test('what a file holds counts, not its ending', async (t) => {
  const content = await halves(40, 30, red, blue).png().toBuffer();
  for (const ending of [...decodedEndings, 'BMP', 'text']) {
    assert.equal((await decoded(t, `image.${ending}`, content, 30)).width, 40, ending);
  }
});

test('grey becomes three equal channels', async (t) => {
  const content = await halves(20, 20, [50], [200]).toColourspace('b-w').png().toBuffer();
  const image = await decoded(t, 'grey.png', content, 20);
  assert.deepEqual(image.pixel(2, 2), [50, 50, 50]);
  assert.deepEqual(image.pixel(18, 2), [200, 200, 200]);
});

test('16 bits become 8', async (t) => {
  const content = await halves(20, 20, red, blue).toColourspace('rgb16').png().toBuffer();
  assert.equal((await sharp(content).metadata()).depth, 'ushort');
  assertNear((await decoded(t, 'deep.png', content, 10)).pixel(1, 1), red, 1);
});

test('CMYK becomes RGB', async (t) => {
  const content = await halves(40, 40, red, blue).toColourspace('cmyk').jpeg({ quality: 98 }).toBuffer();
  assert.equal((await sharp(content).metadata()).space, 'cmyk');
  assertNear((await decoded(t, 'print.jpg', content, 20)).pixel(3, 3), red, 30);
});

test('alpha is dropped and the colour beneath it kept, when reducing and when enlarging', async (t) => {
  const content = await halves(40, 40, [...red, 0], [...blue, 255])
    .png()
    .toBuffer();
  for (const side of [20, 40, 80]) {
    const image = await decoded(t, 'alpha.png', content, side);
    assert.deepEqual(image.pixel(1, 1), red);
    assert.deepEqual(image.pixel(side - 2, 1), blue);
  }
});

for (let orientation = 1; orientation <= 8; orientation++) {
  test(`EXIF orientation ${orientation} is applied`, async (t) => {
    const upright = await halves(60, 40, red, blue).png().toBuffer();
    // The stored pixels that a viewer turns back by this orientation; 5 to 8 swap the sides.
    const stored = storedFor(sharp(upright), orientation);
    const content = await stored
      .withMetadata({ orientation })
      .jpeg({ quality: 98, chromaSubsampling: '4:4:4' })
      .toBuffer();
    const image = await decoded(t, 'turned.jpg', content, 20);
    assert.deepEqual([image.width, image.height, image.source], [30, 20, { width: 60, height: 40 }]);
    assertNear(image.pixel(4, 10), red, 6);
    assertNear(image.pixel(26, 10), blue, 6);
  });
}

/** The inverse of what each of EXIF's orientations asks for. sharp flips before it rotates. */
function storedFor(image: Sharp, orientation: number): Sharp {
  switch (orientation) {
    case 2:
      return image.flop();
    case 3:
      return image.rotate(180);
    case 4:
      return image.flip();
    case 5:
      return image.flop().rotate(270);
    case 6:
      return image.rotate(270);
    case 7:
      return image.flop().rotate(90);
    case 8:
      return image.rotate(90);
    default:
      return image;
  }
}

test('the first frame of an animation counts', async (t) => {
  const frames = [red, blue].map((colour) => halves(16, 16, colour, colour).png().toBuffer());
  const content = await sharp(await Promise.all(frames), { join: { animated: true } })
    .gif()
    .toBuffer();
  assert.equal((await sharp(content).metadata()).pages, 2);
  const image = await decoded(t, 'moving.gif', content, 16);
  assert.deepEqual([image.width, image.height], [16, 16]);
  assertNear(image.pixel(8, 8), red, 8);
});

const undecodable: readonly [what: string, make: () => Promise<Uint8Array>, reason: RegExp][] = [
  [
    'a text',
    () => Promise.resolve(Buffer.from('<html>not found</html>')),
    /not in a format that can be read; save it as/,
  ],
  ['an empty file', () => Promise.resolve(Buffer.alloc(0)), /\.$/],
  ['half a JPEG', async () => cut(await noiseImage(1, 200, 200, 'jpeg')), /cut short or damaged; replace it/],
  ['half a PNG', async () => cut(await noiseImage(1, 200, 200)), /cut short or damaged; replace it/],
  [
    'an SVG',
    () => Promise.resolve(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')),
    /SVG drawing/,
  ],
  [
    'a thread',
    async () =>
      sharp({ create: { width: 700, height: 10, channels: 3, background: 'red' } })
        .png()
        .toBuffer(),
    /64 times/,
  ],
  [
    'too many pixels',
    async () => {
      // Width and height of a lossless WebP lie after the signature 0x2f in 14 bits each, less one.
      const content = await halves(8, 8, red, blue).webp({ lossless: true }).toBuffer();
      const at = content.indexOf('VP8L') + 9;
      content.writeUInt32LE(((content.readUInt32LE(at) & 0xf0000000) | (16382 << 14) | 16382) >>> 0, at);
      return content;
    },
    /more than 120 million/,
  ],
];
for (const [what, make, reason] of undecodable) {
  test(`${what} is refused with a reason that says what to do`, async (t) => {
    const file = join(await temporaryFolder(t), 'image.jpg');
    await writeFile(file, await make());
    await assert.rejects(decodeImage(file, 20), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, reason);
      return true;
    });
  });
}

function cut(content: Uint8Array): Uint8Array {
  return content.subarray(0, Math.floor(content.length / 2));
}

test('a link to a device is refused without being read', { skip: process.platform === 'win32' }, async (t) => {
  const file = join(await temporaryFolder(t), 'image.jpg');
  await symlink('/dev/zero', file);
  await assert.rejects(decodeImage(file, 20), /device/);
});

test('a file that grows without end is refused by its size', async (t) => {
  const file = join(await temporaryFolder(t), 'image.jpg');
  await writeFile(file, '');
  // Sparse: it takes no room on the disk.
  await truncate(file, 2 ** 31);
  await assert.rejects(decodeImage(file, 20), /more than 1 GB/);
});

test('a file that is gone is refused', async () => {
  await assert.rejects(decodeImage('/nowhere/image.jpg', 20), /no longer there/);
});

test('the long side is rounded down', () => {
  assert.deepEqual(resizedSize(500, 375, { side: 255 }), { width: 340, height: 255 });
  assert.deepEqual(resizedSize(375, 499, { side: 255 }), { width: 255, height: 339 });
  assert.deepEqual(resizedSize(7, 7, { side: 255 }), { width: 255, height: 255 });
  assert.deepEqual(resizedSize(500, 375, { side: 224, fit: 'pad' }), { width: 224, height: 168 });
  assert.deepEqual(resizedSize(375, 499, { side: 224, fit: 'pad' }), { width: 168, height: 224 });
  assert.deepEqual(resizedSize(2000, 3, { side: 224, fit: 'pad' }), { width: 224, height: 1 });
  assert.deepEqual(resizedSize(375, 499, { side: 224, fit: 'squash' }), { width: 224, height: 224 });
});

test('a small JPEG has the pixels that libvips decodes, also after one that is damaged', async (t) => {
  const content = await noiseImage(3, 61, 47, 'jpeg');
  const expected = await sharp(content).raw().toBuffer();
  for (let round = 0; round < 2; round++) {
    const image = await decoded(t, 'small.jpg', content, 47);
    assert.deepEqual(Buffer.from(image.data), expected);
    await assert.rejects(decoded(t, 'half.jpg', cut(await noiseImage(1, 200, 200, 'jpeg')), 20), UserError);
  }
});
