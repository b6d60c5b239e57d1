import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Classifier } from '../../../src/ml/inference/classifier.ts';
import { occlusionMap } from '../../../src/ml/inference/occlusion.ts';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';

const size = 56;

/** A classifier that looks at one place alone: its first class is as likely as that pixel is bright. */
const looksAt = (row: number, column: number): Classifier => ({
  title: 'one pixel',
  labels: [0, 1].map((index) => ({ index, folder: String(index), name: String(index) })),
  preprocessing: { resize: size, crop: size, ...presetConstants('imagenet') },
  runsOn: { engine: 'onnx', device: 'cpu' },
  probabilities: ({ shape: [count = 0], data }) => {
    const bright = Array.from(
      { length: count },
      (_, at) => (data[at * 3 * size * size + row * size + column] ?? 0) / 255,
    );
    return Promise.resolve(float32Tensor([count, 2], Float32Array.from(bright.flatMap((share) => [share, 1 - share]))));
  },
  dispose: () => Promise.resolve(),
});

test('covering the place that a classifier looks at takes most, covering another one nothing', async () => {
  const white = new Uint8Array(3 * size * size).fill(255);
  const map = await occlusionMap(looksAt(10, 42), white, size, 0);
  assert.deepEqual([map.length, map[0]?.length], [14, 14]);
  assert.equal(map[2]?.[10], 1);
  assert.equal(map[9]?.[3], 0);
});

test('a class that no covering makes less likely was seen nowhere', async () => {
  const map = await occlusionMap(looksAt(10, 42), new Uint8Array(3 * size * size), size, 0);
  assert.ok(map.flat().every((value) => value === 0));
});
