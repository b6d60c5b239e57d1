import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/protocol/errors.ts';
import { decodeImage } from '../../../src/ml/data/decodeImage.ts';
import formats from '../../fixtures/image_formats.json' with { type: 'json' };
import { temporaryFolder } from '../../unit/data/temporaryImages.ts';

/** Images of `test/fixtures/image_formats.py`: with the pixels that are to be seen, or with a part of the reason why not. */
type Case =
  { file: string; width: number; height: number; pixels: string; within: number } | { file: string; says: string };

for (const [name, example] of Object.entries(formats) as [string, Case][]) {
  test(`${name} is ${'says' in example ? 'refused with its reason' : 'seen as other programs see it'}`, async (t) => {
    const file = join(await temporaryFolder(t), name);
    await writeFile(file, Buffer.from(example.file, 'base64'));
    if ('says' in example) {
      await assert.rejects(decodeImage(file, 16), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /^[A-Z].*\.$/);
        assert.ok(error.message.includes(example.says), error.message);
        return true;
      });
      return;
    }
    const { width, height, within } = example;
    const image = await decodeImage(file, Math.min(width, height));
    assert.deepEqual({ width: image.width, height: image.height, source: image.source }, { width, height, source: { width, height } }); // prettier-ignore
    const expected = Buffer.from(example.pixels, 'base64');
    const furthest = expected.reduce((most, value, at) => Math.max(most, Math.abs(value - (image.data[at] ?? 0))), 0);
    assert.ok(furthest <= within, `a value is ${furthest} away`);
  });
}
