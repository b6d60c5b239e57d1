import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { lumaOf, measureQuality } from '../../../src/ml/data/imageQuality.ts';

const size = 64;

const qualityOf = (...crop: Parameters<typeof lumaOf>) => measureQuality(lumaOf(...crop));

/** Planes of a picture of stripes, blurred by `sigma` pixels. */
async function planes(sigma: number): Promise<Uint8Array> {
  const stripes = Buffer.from(
    Array.from({ length: size * size * 3 }, (_, at) => (Math.floor(((at / 3) % size) / 4) % 2) * 200),
  );
  const image = sharp(stripes, { raw: { width: size, height: size, channels: 3 } });
  const pixels = await (sigma > 0 ? image.blur(sigma) : image).raw().toBuffer();
  return Uint8Array.from({ length: 3 * size * size }, (_, at) => pixels[(at % (size * size)) * 3 + Math.floor(at / (size * size))] ?? 0); // prettier-ignore
}

test('a blurred image is less sharp, and as bright', async () => {
  const [sharpOne, blurred] = [qualityOf(await planes(0), size), qualityOf(await planes(3), size)];
  assert.ok(blurred.sharpness < sharpOne.sharpness / 5);
  assert.ok(blurred.detail < sharpOne.detail / 5);
  assert.ok(Math.abs(blurred.brightness - sharpOne.brightness) < 3);
});

test('a sharp place is enough for detail: a background may be blurred', async () => {
  const [sharp, blurred] = [await planes(0), await planes(3)];
  const isInside = (at: number) =>
    [at % size, Math.floor(at / size) % size].every((place) => place >= 20 && place < 44);
  const portrait = qualityOf(blurred.map((value, at) => (isInside(at) ? (sharp[at] ?? 0) : value)), size); // prettier-ignore
  const [all, none] = [qualityOf(sharp, size), qualityOf(blurred, size)];
  assert.ok(portrait.detail > 0.8 * all.detail, `${portrait.detail} and ${all.detail}`);
  assert.ok(portrait.sharpness < 0.6 * all.sharpness && none.detail < 0.2 * all.detail);
});

test('brightness is the mean luma, contrast its deviation', () => {
  const white = qualityOf(new Uint8Array(3 * size * size).fill(255), size);
  assert.ok(Math.abs(white.brightness - 255) < 0.01 && white.contrast < 0.1 && white.sharpness < 0.1);
  const half = qualityOf(
    Uint8Array.from({ length: 3 * size * size }, (_, at) => (at % 2) * 200),
    size,
  );
  assert.ok(Math.abs(half.brightness - 100) < 0.01 && Math.abs(half.contrast - 100) < 0.01);
});

test('bars beside a padded image count for nothing', async () => {
  const pixels = await planes(0);
  const part = { left: 0, top: 16, width: size, height: 32 };
  const barred = pixels.map((value, at) => {
    const row = Math.floor(at / size) % size;
    return row >= part.top && row < part.top + part.height ? value : 0;
  });
  // The stripes are upright, so that a part of the rows looks as the whole does.
  assert.deepEqual(qualityOf(barred, size, part), qualityOf(pixels, size, part));
  assert.ok(Math.abs(qualityOf(barred, size, part).brightness - qualityOf(pixels, size).brightness) < 0.01);
  assert.ok(qualityOf(barred, size).brightness < 0.6 * qualityOf(pixels, size).brightness);
});
