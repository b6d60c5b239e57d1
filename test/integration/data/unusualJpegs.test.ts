import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { decodeImage } from '../../../src/ml/data/decodeImage.ts';
import { UserError } from '../../../src/protocol/errors.ts';

/** JPEGs of `test/fixtures/unusual_jpegs.py`: a file, what is done to it, and what Pillow makes of it, or null if it refuses. */
interface Fixture {
  readonly names: readonly string[];
  readonly lengths: readonly number[];
  readonly files: string;
  readonly cases: readonly [file: number, rule: string, at: number, value: number, seen: string | null][];
}

const path = join(import.meta.dirname, '../../fixtures/unusual_jpegs.json');
const { names, lengths, files, cases } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
const packed = inflateSync(Buffer.from(files, 'base64'));

/** Where ours is another than Pillow's, and why. */
const differences: readonly (readonly [name: RegExp, why: string])[] = [
  [/of four components|CMYK/u, 'inks become colors by a profile, not by subtracting them from white'],
  [/^turned by a byte/u, 'the number is of another type than EXIF says, and is followed all the same'],
  [/^turned by XMP/u, 'browsers follow EXIF alone'],
  [/^with JFIF that is cut/u, 'nothing of that segment is needed'],
  [/without its tables/u, 'the standard’s own tables are taken then'],
  [/^coded arithmetically, a usual one, put at 3../u, 'what is damaged lies behind the last row'],
];

function edited(file: number, rule: string, at: number, value: number): Uint8Array {
  const start = lengths.slice(0, file).reduce((sum, length) => sum + length, 0);
  const content = packed.subarray(start, start + (lengths[file] ?? 0));
  switch (rule) {
    case 'cut':
      return content.subarray(0, at);
    case 'put':
      return Buffer.concat([content.subarray(0, at), Buffer.of(value), content.subarray(at + 1)]);
    case 'behind':
      return Buffer.concat([content, Buffer.alloc(at)]);
    case 'ahead':
      return Buffer.concat([Buffer.alloc(at), content]);
    default:
      return content;
  }
}

/** Size and digest of the pixels that are seen here; null where the file is refused by a sentence. */
async function seen(content: Uint8Array): Promise<string | null> {
  const input = { name: 'unusual.jpg', content };
  try {
    const { width, height } = (await decodeImage(input, 1, { fit: 'squash' })).source;
    const { data } = await decodeImage(input, Math.min(width, height));
    const digest = createHash('sha256').update(data).digest('hex').slice(0, 10);
    return `${width} ${height} ${digest}`;
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, /^[A-Z].*\.$/u);
    return null;
  }
}

test(`${cases.length} unusual and damaged JPEGs are seen as Pillow sees them, or refused where it refuses them`, async () => {
  const found: string[] = [];
  const unexplained: string[] = [];
  for (const [file, rule, at, value, expected] of cases) {
    const name = rule === 'whole' ? (names[file] ?? '') : `${names[file] ?? ''}, ${rule} at ${at}`;
    const ours = await seen(edited(file, rule, at, value));
    if (ours === expected) continue;
    const why = differences.find(([pattern]) => pattern.test(name))?.[1];
    if (why === undefined) unexplained.push(`${name}: ${ours ?? 'refused'} instead of ${expected ?? 'refused'}`);
    else found.push(why);
  }
  assert.deepEqual(unexplained, []);
  assert.deepEqual(new Set(found), new Set(differences.map(([, why]) => why)));
});
