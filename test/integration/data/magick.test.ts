import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { UserError } from '../../../src/protocol/errors.ts';
import { magickSize, magickTiff } from '../../../src/ml/data/magick.ts';
import type { MagickImage } from '../../../src/ml/data/magick.ts';

function netpbm(text: string): MagickImage {
  const content = new Uint8Array(new SharedArrayBuffer(text.length));
  content.set(Buffer.from(text, 'latin1'));
  return { content, format: 'PNM' };
}

const image = netpbm('P2 3 2 255  0 50 100 150 200 250');

async function assertDecodes(): Promise<void> {
  assert.deepEqual(await magickSize(image, 60), { width: 3, height: 2 });
  const pixels = await sharp(await magickTiff(image, 60))
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  assert.deepEqual([...pixels], [0, 50, 100, 150, 200, 250]);
}

test('after an image at which the decoder breaks off, the next one decodes', async () => {
  await assertDecodes();
  const nothing = undefined as unknown as MagickImage['content'];
  await assert.rejects(magickTiff({ content: nothing, format: 'PNM' }, 60), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /fails on this file; .* replace it or leave it out\.$/);
    return true;
  });
  await assertDecodes();
});

test('an image that takes too long is given up, and the next one decodes', async () => {
  const large = netpbm(`P5 3000 3000 255 ${'x'.repeat(9e6)}`);
  await assert.rejects(magickTiff(large, 0.001), /timeout/);
  await assertDecodes();
});

test('images that are asked for at once do not disturb each other', async () => {
  const broken = magickTiff(netpbm('P2 3 2 255 0 50'), 60).catch((error: unknown) => String(error));
  await Promise.all([assertDecodes(), broken, assertDecodes()]);
  assert.match(String(await broken), /^Error/);
});
