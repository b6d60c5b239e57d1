import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { simpleJpegSize } from '../../../src/ml/data/jpegHeader.ts';

const noise = () =>
  sharp({
    create: {
      width: 37,
      height: 23,
      channels: 3,
      background: 'black',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  });

test('a JPEG with nothing but pixels has its size, however it is coded', async () => {
  for (const options of [{}, { progressive: true }, { chromaSubsampling: '4:4:4' }, { mozjpeg: true }]) {
    assert.deepEqual(simpleJpegSize(await noise().jpeg(options).toBuffer()), { width: 37, height: 23 });
  }
});

test('what says more of how it is shown is left to a longer look', async () => {
  const others = {
    turned: noise().withMetadata({ orientation: 6 }).jpeg(),
    'with EXIF': noise()
      .withExif({ IFD0: { Copyright: 'nobody' } })
      .jpeg(),
    'with a profile': noise().withIccProfile('p3').jpeg(),
    grey: noise().toColourspace('b-w').jpeg(),
    CMYK: noise().toColourspace('cmyk').jpeg(),
    'a PNG': noise().png(),
  };
  for (const [what, image] of Object.entries(others)) {
    assert.equal(simpleJpegSize(await image.toBuffer()), undefined, what);
  }
});

test('a header that is cut off or overwritten anywhere gives no size, or still that of the frame', async () => {
  const whole = await noise().jpeg().toBuffer();
  for (let length = 0; length < 700; length++) {
    const size = simpleJpegSize(whole.subarray(0, length));
    assert.ok(size === undefined || size.width === 37, String(length));
  }
  for (let at = 0; at < 700; at++) {
    const broken = Buffer.from(whole);
    broken.fill(0xff, at, at + 2);
    assert.doesNotThrow(() => simpleJpegSize(broken), String(at));
  }
});
