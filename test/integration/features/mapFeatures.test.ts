import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { keptMap } from '../../../src/ml/features/keptMap.ts';
import { mapFeatures } from '../../../src/ml/features/mapFeatures.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { CancelledError, UserError } from '../../../src/protocol/errors.ts';

const placement = { engine: onnxEngine, device: 'cpu' };
const [groups, each, width] = [4, 30, 16];

/** Rows about one of four directions, in turn. */
function clouds() {
  const random = createRandom('clouds');
  const centres = Array.from({ length: groups }, () => Array.from({ length: width }, () => random.normal()));
  const rows = Array.from({ length: groups * each }, (_, row) =>
    (centres[row % groups] ?? []).map((value) => value + 0.3 * random.normal()),
  );
  return { width, features: Float32Array.from(rows.flat()) };
}

test('a map keeps together what is alike, in the unit square, and is the same for the same seed', async () => {
  const placed = [...Array(groups * each).keys()].filter((row) => row !== 7);
  let told = 0;
  const map = await mapFeatures(clouds(), placed, placement, { seed: 1, onProgress: () => told++ });
  assert.ok(told > 100, `${told} epochs`);
  assert.ok(Number.isNaN(map[14]) && Number.isNaN(map[15]), 'an image without features has no place');
  const at = (row: number) => [map[2 * row] ?? 0, map[2 * row + 1] ?? 0] as const;
  assert.ok(placed.flatMap((row) => [...at(row)]).every((value) => value >= 0 && value <= 1));
  const distance = (a: number, b: number) => Math.hypot(at(a)[0] - at(b)[0], at(a)[1] - at(b)[1]);
  const strays = placed.filter((row) => {
    const others = placed.filter((other) => other !== row);
    const nearest = others.reduce((best, other) => (distance(row, other) < distance(row, best) ? other : best));
    return nearest % groups !== row % groups;
  });
  assert.deepEqual(strays, [], 'every image lies next to one of its own group');
  assert.deepEqual(await mapFeatures(clouds(), placed, placement, { seed: 1 }), map);
  assert.notDeepEqual(await mapFeatures(clouds(), placed, placement, { seed: 2 }), map);
});

test('a map of too few images is refused, and one that is cancelled ends its thread', async () => {
  await assert.rejects(
    mapFeatures(clouds(), [0, 1, 2, 3, 4, 5, 6], placement, { seed: 1 }),
    (error) => error instanceof UserError && error.message.includes('7'),
  );
  const stopping = new AbortController();
  const options = { seed: 1, signal: stopping.signal, onProgress: () => stopping.abort() };
  await assert.rejects(mapFeatures(clouds(), [...Array(groups * each).keys()], placement, options), CancelledError);
});

test('a map is kept: it comes back for the same images in any order, and is drawn anew for others or another seed', async (t) => {
  const outside = process.env['FIVECROP_CACHE'];
  const cache = await mkdtemp(join(tmpdir(), 'fivecrop-maps-'));
  process.env['FIVECROP_CACHE'] = cache;
  t.after(async () => {
    if (outside === undefined) delete process.env['FIVECROP_CACHE'];
    else process.env['FIVECROP_CACHE'] = outside;
    await rm(cache, { recursive: true, force: true });
  });
  const { features } = clouds();
  /** The map of some of the images in this order, and whether it was drawn. */
  const mapOf = async (images: readonly number[], seed = 1) => {
    let drawn = false;
    const found = {
      ...{ width, decoded: new Uint8Array(images.length).fill(1) },
      digests: Float64Array.from(images, (image) => 1000 + image),
      features: Float32Array.from(
        images.flatMap((image) => [...features.subarray(image * width, (image + 1) * width)]),
      ),
    };
    const options = {
      model: 'model',
      folder: '/data',
      seed,
      log: (sentence: string) => assert.fail(sentence),
      onProgress: () => (drawn = true),
    };
    const map = await keptMap(found, placement, options);
    return { drawn, places: new Map(images.map((image, at) => [image, [...map.subarray(2 * at, 2 * at + 2)]])) };
  };
  const all = [...Array(40).keys()];
  const first = await mapOf(all);
  assert.equal(first.drawn, true);
  const turned = await mapOf(all.toReversed());
  assert.equal(turned.drawn, false);
  for (const [image, place] of turned.places) assert.deepEqual(place, first.places.get(image));
  assert.equal((await mapOf(all, 2)).drawn, true, 'another seed has a map of its own');
  assert.equal((await mapOf([...all, 41])).drawn, true);
});
