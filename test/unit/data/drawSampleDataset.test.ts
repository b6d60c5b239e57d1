import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { drawFlower, drawingSize, flowerKinds } from '../../../src/ml/data/drawFlower.ts';
import { drawSampleDataset } from '../../../src/ml/data/drawSampleDataset.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { temporaryFolder, writeFiles } from './temporaryImages.ts';

test('every kind draws a picture that its seed alone decides', async () => {
  const pictures = new Set<string>();
  for (const kind of flowerKinds) {
    for (let seed = 0; seed < 3; seed++) {
      const svg = drawFlower(kind, createRandom(seed));
      assert.equal(drawFlower(kind, createRandom(seed)), svg);
      pictures.add(svg);
      assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
    }
    const { data, info } = await sharp(Buffer.from(drawFlower(kind, createRandom(1))))
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [drawingSize.width, drawingSize.height]);
    assert.ok(new Set(data).size > 100, `${kind.name} shows nothing`);
  }
  assert.equal(pictures.size, 3 * flowerKinds.length);
});

test('a folder that holds something is left alone', async (t) => {
  const root = await temporaryFolder(t);
  await writeFiles(root, ['mine.txt']);
  await assert.rejects(drawSampleDataset(root, 0), /is not empty; name a new folder/);
});
