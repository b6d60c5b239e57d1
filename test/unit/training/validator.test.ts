import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../../src/ml/data/loader.ts';
import { createGraphBuilder, finishGraph } from '../../../src/ml/graph/builder.ts';
import { float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import { createValidator } from '../../../src/ml/training/loop/validator.ts';

const batch: Batch = {
  index: 0,
  images: { dtype: 'uint8', shape: [2, 1], data: Uint8Array.of(1, 2) },
  labels: Int32Array.of(0, 1),
  indices: Uint32Array.of(0, 1),
  places: Uint32Array.of(0, 1),
  wanted: Uint32Array.of(0, 1),
  resized: [1, 2].map(() => ({ width: 1, height: 1, source: { width: 1, height: 1 } })),
};

/** A validation of two images whose frozen part counts how often it computes; twice. */
async function validateTwice(computes: boolean) {
  let computed = 0;
  const feeds = (images: Tensor) => {
    computed++;
    return Promise.resolve(new Map([['images', images]]));
  };
  const scores = new Map([['scores', float32Tensor([2, 2], Float32Array.of(-0.1, -2, -2, -0.1))]]);
  const model = { run: () => Promise.resolve(scores), dispose: () => Promise.resolve() };
  const graph = () => finishGraph(createGraphBuilder(), []);
  const validate = createValidator({
    engine: { compileInference: () => Promise.resolve(model) },
    device: 'cpu',
    network: { validation: graph, preprocessing: { resize: 1, crop: 1, ...presetConstants('imagenet') } },
    frozen: { computes, feeds },
    loader: {
      samples: [],
      check: () => Promise.resolve(),
      async *epoch() {
        yield await Promise.resolve(batch);
      },
    },
    labels: [],
    pinned: [],
    log: () => undefined,
  });
  const results = [
    await validate(new Map(), new AbortController().signal),
    await validate(new Map(), new AbortController().signal),
  ];
  return { computed, preparing: results.map((result) => result.preparing) };
}

test('the first validation prepares those after it where something frozen computes, and says so', async () => {
  assert.deepEqual(await validateTwice(true), { computed: 1, preparing: [true, false] });
  assert.deepEqual(await validateTwice(false), { computed: 2, preparing: [false, false] });
});
