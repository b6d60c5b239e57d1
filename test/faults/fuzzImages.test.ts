import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import sharp from 'sharp';
import { UserError } from '../../src/protocol/errors.ts';
import { decodeImage } from '../../src/ml/data/decodeImage.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import type { Random } from '../../src/ml/graph/random.ts';
import { pictureOf } from '../../src/ml/data/picture.ts';
import formats from '../fixtures/image_formats.json' with { type: 'json' };

const count = Number(process.env['FIVECROP_FUZZ'] ?? 1000);
const seed = Number(process.env['FIVECROP_SEED'] ?? Date.now() % 1e9);
/** Of processor time, of all threads; on an idle machine none takes a tenth of it. */
const longestSeconds = 10;
const mostBytes = 1e9;

/** Files to be damaged: those of every format that is read, and those that a browser shows. */
async function examples(): Promise<(readonly [name: string, content: Buffer])[]> {
  const drawn = Object.entries(formats).map(([name, { file }]) => [name, Buffer.from(file, 'base64')] as const);
  const pixels = Buffer.from(Array.from({ length: 24 * 16 * 4 }, (_, at) => (at * 7) % 256));
  const image = sharp(pixels, { raw: { width: 24, height: 16, channels: 4 } });
  const shown = await Promise.all(
    (['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const).map(
      async (format) => [`shown.${format}`, await image.clone().toFormat(format).toBuffer()] as const,
    ),
  );
  // Of formats that browsers show there are few, and they are the ones that people have.
  return [...drawn, ...shown, ...shown, ...shown, ...shown];
}

/** Numbers at which sizes and counts go wrong. */
const telling = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

function damage(content: Buffer, random: Random): Buffer {
  const damaged = Buffer.from(content);
  const place = () => random.integer(random.integer(3) > 0 ? Math.min(content.length, 128) : content.length);
  for (let times = 1 + random.integer(4); times > 0 && damaged.length >= 8; times--) {
    const at = Math.min(place(), damaged.length - 4);
    const number = telling[random.integer(telling.length)] ?? 0;
    const kind = random.integer(6);
    if (kind === 0) damaged[at] = random.integer(256);
    else if (kind === 1) damaged[at] = (damaged[at] ?? 0) ^ (1 << random.integer(8));
    else if (kind === 2) damaged.writeUInt32LE(number, at);
    else if (kind === 3) damaged.writeUInt32BE(number, at);
    else if (kind === 4) damaged.writeUInt16LE(number & 0xffff, at);
    else damaged.copyWithin(at, place(), damaged.length - 4);
  }
  return random.integer(8) === 0 ? damaged.subarray(0, random.integer(damaged.length)) : damaged;
}

test(`${count} damaged images decode or are refused with a sentence, soon and in little memory (FIVECROP_SEED=${seed})`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-fuzz-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const whole = await examples();
  let decoded = 0;
  for (let number = 0; number < count; number++) {
    const random = createRandom(seed, number);
    const [name, content] = whole[random.integer(whole.length)] ?? assert.fail();
    const file = join(folder, name);
    await writeFile(file, damage(content, random));
    const about = `mutant ${number} of ${name}, FIVECROP_SEED=${seed}`;
    const began = process.cpuUsage();
    try {
      await (number % 10 === 0 ? pictureOf(file, 64) : decodeImage(file, 32));
      decoded++;
    } catch (error) {
      assert.ok(error instanceof UserError, `${about}: ${String(error)}`);
      assert.match(error.message, /\.$/, about);
    }
    const { user, system } = process.cpuUsage(began);
    const seconds = (user + system) / 1e6;
    assert.ok(seconds < longestSeconds, `${about} took ${seconds.toFixed(1)} s of processor time`);
    const { rss } = process.memoryUsage();
    assert.ok(rss < mostBytes, `after ${about} the process holds ${(rss / 1e6).toFixed(0)} MB`);
  }
  t.diagnostic(`${decoded} of ${count} decode; most memory ${(process.resourceUsage().maxRSS / 1e3).toFixed(0)} MB`);
});
