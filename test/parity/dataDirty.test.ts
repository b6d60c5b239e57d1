import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as z from 'zod';
import { decodeImage } from '../../src/ml/data/decodeImage.ts';
import { isImageFile } from '../../src/protocol/imageFiles.ts';
import type { RgbImage } from '../../src/ml/data/rgbImage.ts';

const shared = join(import.meta.dirname, '../../../shared/data');
const dirty = join(shared, 'dirty');
const flowers = join(shared, 'flowers');
const skip = existsSync(dirty) && existsSync(flowers) ? false : 'needs ../shared/data, which this clone lacks';

/** What cannot be decoded, with a word of its reason; every other image of the folder has to decode. */
const undecodable: Readonly<Record<string, RegExp>> = {
  '17000x17000.avif': /million pixels/,
  '65536-uint32-limit.png': /million pixels/,
  'badwidth.bmp': /damaged/,
  'broken.png': /header/,
  'corrupt-header.jpg': /cut short|header/,
  'decompression_bomb.gif': /cut short|header/,
  'check.svg': /SVG drawing/,
  'relax.jp2': /JPEG 2000/,
  'syntax_num_frames_zero.png': /header/,
  'truncated.gif': /cut short/,
  'truncated.jpg': /cut short/,
  'truncated.png': /cut short/,
  'truncated_image.png': /cut short/,
};

/** Quarters' mean colours by Pillow, which ignores the profile of one image and converts another's CMYK plainly. */
const pillow = z
  .record(z.string(), z.array(z.number()).length(12))
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/pillow_dirty.json'), 'utf8')));
const managed: ReadonlySet<string> = new Set(['sample-xyb.jpg', 'Channel_digital_image_CMYK_color_no_profile.jpg']);

/** Mean colour of the four quarters, row by row. */
function quarters({ width, height, data }: RgbImage): number[] {
  const sums = new Float64Array(12);
  const counts = new Float64Array(4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const quarter = (Math.floor(pixel / width) * 2 >= height ? 2 : 0) + ((pixel % width) * 2 >= width ? 1 : 0);
    counts[quarter] = (counts[quarter] ?? 0) + 1;
    for (let channel = 0; channel < 3; channel++) {
      const at = quarter * 3 + channel;
      sums[at] = (sums[at] ?? 0) + (data[pixel * 3 + channel] ?? 0);
    }
  }
  return Array.from(sums, (sum, at) => sum / (counts[Math.floor(at / 3)] ?? 1));
}

test('what decodes shows what Pillow shows', { skip }, async () => {
  const compared = Object.entries(pillow).filter(([name]) => !undecodable[name]);
  assert.equal(compared.length, 28);
  for (const [name, expected] of compared) {
    const seen = quarters(await decodeImage(join(dirty, name), 64));
    const worst = Math.max(...seen.map((value, at) => Math.abs(value - (expected[at] ?? 0))));
    assert.ok(worst < (managed.has(name) ? 36 : 4), `${name}: ${worst} levels of 255`);
  }
});

test('every dirty image decodes or is refused with its reason', { skip }, async () => {
  for (const name of await readdir(dirty)) {
    assert.ok(isImageFile(name), name);
    const reason = undecodable[name];
    const decoding = decodeImage(join(dirty, name), 255);
    if (reason) {
      await assert.rejects(decoding, (error: Error) => reason.test(error.message) && error.message.endsWith('.'), name);
    } else {
      const image = await decoding;
      assert.equal(Math.min(image.width, image.height), 255, name);
      assert.equal(image.data.length, 3 * image.width * image.height, name);
    }
  }
});

test('a photograph looks the same whatever its EXIF orientation says', { skip }, async () => {
  const upright = await decodeImage(join(dirty, 'Landscape_1.jpg'), 255);
  assert.deepEqual(upright.source, { width: 1800, height: 1200 });
  for (let orientation = 2; orientation <= 8; orientation++) {
    const turned = await decodeImage(join(dirty, `Landscape_${orientation}.jpg`), 255);
    assert.deepEqual([turned.width, turned.height, turned.source], [upright.width, upright.height, upright.source]);
    // The photographs carry a number as their only difference.
    const changed = turned.data.filter((value, at) => Math.abs(value - (upright.data[at] ?? 0)) > 24).length;
    assert.ok(changed / turned.data.length < 0.08, `${orientation}: ${changed / turned.data.length}`);
  }
});

test('dirty images among good ones are listed, stop nothing and stay below 2 GB', { skip }, async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'fivecrop-dirty-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const link = async (from: string, folder: string, name: string) => {
    await mkdir(join(root, folder), { recursive: true });
    await symlink(from, join(root, folder, name));
  };
  const kinds = (await readdir(join(flowers, 'train'))).sort().slice(0, 2);
  for (const kind of kinds) {
    for (const name of (await readdir(join(flowers, 'train', kind))).slice(0, 20)) {
      await link(join(flowers, 'train', kind, name), `train/${kind}`, name);
    }
  }
  for (const name of await readdir(dirty)) await link(join(dirty, name), `train/${kinds[0] ?? ''}`, name);

  // In a process of its own, so that its peak of memory is known.
  const script = join(import.meta.dirname, 'loadFolder.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, root], {
    timeout: 120_000,
  });
  const result = z
    .object({
      images: z.number(),
      epochs: z.array(z.number()),
      undecodable: z.array(z.string()),
      megabytes: z.number(),
    })
    .parse(JSON.parse(stdout));
  t.diagnostic(`peak ${result.megabytes} MB`);
  assert.deepEqual(result.undecodable.sort(), Object.keys(undecodable).sort());
  assert.deepEqual(result.epochs, [result.images, result.images]);
  assert.ok(result.megabytes < 2000, `${result.megabytes} MB`);
});
