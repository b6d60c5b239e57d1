import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { centreOffset, cropPlanes } from '../../../src/ml/data/centreCrop.ts';
import { decodeImage } from '../../../src/ml/data/decodeImage.ts';
import { listNetworks } from '../../../src/ml/networks/registry.ts';
import type { Interpolation, Preprocessing } from '../../../src/protocol/preprocessing.ts';
import { drawnPattern } from './drawnPattern.ts';
import { temporaryFolder } from './temporaryImages.ts';

/** What test/fixtures/torchvision_pixels.py wrote. */
interface Case {
  readonly resize: number;
  readonly crop: number;
  readonly interpolation: Interpolation;
  readonly images: readonly { readonly width: number; readonly height: number; readonly kept: readonly number[] }[];
}

const fixture = join(import.meta.dirname, '../../fixtures/torchvision_pixels.json');
const { cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { readonly cases: readonly Case[] };
const every = 32;

for (const { resize, crop, interpolation, images } of cases) {
  test(`pixels of ${crop} from ${resize} by a ${interpolation} resize are within one level of torchvision’s`, async (t) => {
    const folder = await temporaryFolder(t);
    for (const { width, height, kept } of images) {
      const file = join(folder, `${width}.png`);
      const raw = { width, height, channels: 3 } as const;
      await writeFile(file, await sharp(drawnPattern(width, height).data, { raw }).png().toBuffer());
      const image = await decodeImage(file, resize, { interpolation });
      const planes = cropPlanes(image, centreOffset(image.width, image.height, crop), crop);
      const found = planes.filter((_, at) => (at % crop) % every === 0 && (Math.floor(at / crop) % crop) % every === 0);
      assert.equal(found.length, kept.length);
      const largest = found.reduce((most, level, at) => Math.max(most, Math.abs(level - (kept[at] ?? NaN))), 0);
      assert.ok(largest <= 1, `${width} x ${height}: ${largest} levels`);
    }
  });
}

test('the pixels of every set of torchvision’s weights are compared', () => {
  const keyOf = ({
    resize,
    crop,
    interpolation = 'bilinear',
  }: Pick<Preprocessing, 'resize' | 'crop' | 'interpolation'>) => [resize, crop, interpolation].join(' ');
  const compared = new Set(cases.map(keyOf));
  const sets = listNetworks().flatMap(({ weights }) => weights.filter(({ name }) => name.startsWith('IMAGENET1K_')));
  for (const { network, name, preprocessing } of sets) {
    assert.ok(compared.has(keyOf(preprocessing)), `${network} ${name}`);
  }
});
