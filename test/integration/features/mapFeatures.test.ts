import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
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
  const isThere = (row: number) => row !== 7;
  let told = 0;
  const map = await mapFeatures(clouds(), isThere, placement, { seed: 1, onProgress: () => told++ });
  assert.ok(told > 100, `${told} epochs`);
  assert.ok(Number.isNaN(map[14]) && Number.isNaN(map[15]), 'an image without features has no place');
  const placed = [...Array(groups * each).keys()].filter(isThere);
  const at = (row: number) => [map[2 * row] ?? 0, map[2 * row + 1] ?? 0] as const;
  assert.ok(placed.flatMap((row) => [...at(row)]).every((value) => value >= 0 && value <= 1));
  const distance = (a: number, b: number) => Math.hypot(at(a)[0] - at(b)[0], at(a)[1] - at(b)[1]);
  const strays = placed.filter((row) => {
    const others = placed.filter((other) => other !== row);
    const nearest = others.reduce((best, other) => (distance(row, other) < distance(row, best) ? other : best));
    return nearest % groups !== row % groups;
  });
  assert.deepEqual(strays, [], 'every image lies next to one of its own group');
  assert.deepEqual(await mapFeatures(clouds(), isThere, placement, { seed: 1 }), map);
  assert.notDeepEqual(await mapFeatures(clouds(), isThere, placement, { seed: 2 }), map);
});

test('a map of too few images is refused, and one that is cancelled ends its thread', async () => {
  await assert.rejects(
    mapFeatures(clouds(), (row) => row < 7, placement, { seed: 1 }),
    (error) => error instanceof UserError && error.message.includes('7'),
  );
  const stopping = new AbortController();
  const options = { seed: 1, signal: stopping.signal, onProgress: () => stopping.abort() };
  await assert.rejects(
    mapFeatures(clouds(), () => true, placement, options),
    CancelledError,
  );
});
