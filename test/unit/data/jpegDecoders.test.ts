import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import sharp from 'sharp';
import type { JpegOptions } from 'sharp';
import { nativeJpegDecoder } from '../../../src/ml/data/nativeJpeg.ts';
import { wasmJpegDecoder } from '../../../src/ml/data/wasmJpeg.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';

const seed = Number(process.env['FIVECROP_SEED'] ?? randomInt(2 ** 31));
console.log(`seed ${seed}`);

const native = nativeJpegDecoder();
const wasm = await wasmJpegDecoder();
const options = { skip: process.platform === 'linux' ? false : 'libjpeg-turbo is a library of its own on Linux only' };

/** Noise over soft colours: every coefficient of a block is used. */
async function jpeg(random: ReturnType<typeof createRandom>, width: number, height: number, settings: JpegOptions) {
  const pixels = Buffer.from(
    Array.from({ length: width * height * 3 }, (_, at) => ((at >> 4) + random.integer(90)) & 255),
  );
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg(settings)
    .toBuffer();
}

const kinds: [string, JpegOptions][] = [
  ['baseline', {}],
  ['progressive', { progressive: true }],
  ['without subsampling', { chromaSubsampling: '4:4:4' }],
  ['of mozjpeg', { mozjpeg: true }],
  ['of quality 5', { quality: 5 }],
  ['of quality 100', { quality: 100, chromaSubsampling: '4:2:0' }],
];
/** The pixels by libvips, which has a libjpeg of its own; undefined if it refuses the file. */
async function byLibvips(content: Buffer): Promise<Buffer | undefined> {
  return sharp(content, { failOn: 'error' })
    .raw()
    .toBuffer()
    .catch(() => undefined);
}

for (const [kind, settings] of kinds) {
  test(`a JPEG ${kind} has the same pixels from each decoder`, options, async () => {
    const random = createRandom(seed, kind);
    for (let count = 0; count < 12; count++) {
      const [width, height] = [1 + random.integer(300), 1 + random.integer(200)];
      const content = await jpeg(random, width, height, settings);
      const expected = await byLibvips(content);
      for (const image of [native?.decode(content), wasm.decode(content)]) {
        assert.deepEqual([image?.width, image?.height], [width, height]);
        assert.ok(expected?.equals(Buffer.from(image?.data ?? [])), `${width}x${height}`);
      }
    }
  });
}

test(
  'what is broken is left to another decoder, or decodes as libvips shows it; the next file decodes',
  options,
  async () => {
    const random = createRandom(seed, 'mutants');
    const good = await jpeg(random, 90, 70, { progressive: true });
    let refused = 0;
    for (let count = 0; count < 300; count++) {
      const broken = Buffer.from(good.subarray(0, random.integer(4) === 0 ? random.integer(good.length) : good.length));
      for (let bytes = random.integer(4); bytes > 0 && broken.length > 700; bytes--) {
        broken[700 + random.integer(broken.length - 700)] = random.integer(256);
      }
      const image = native?.decode(broken);
      if (!image) refused++;
      else assert.ok((await byLibvips(broken))?.equals(image.data));
      if (count % 20 === 0) assert.ok((await byLibvips(good))?.equals(native?.decode(good)?.data ?? Buffer.of()));
    }
    assert.ok(refused > 0 && refused < 300, `${refused} of 300 were refused`);
  },
);

test('grey, CMYK, large and empty files are left to another decoder', options, async () => {
  const red = (width: number) => sharp({ create: { width, height: 1024, channels: 3, background: 'red' } });
  const files = [red(20).toColourspace('b-w'), red(20).toColourspace('cmyk'), red(1025)].map((image) => image.jpeg());
  const contents = await Promise.all(files.map((image) => image.toBuffer()));
  for (const content of [...contents, Buffer.of(), Buffer.from([0xff, 0xd8])]) {
    assert.equal(native?.decode(content), undefined);
  }
});
