import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Pool } from '../../../src/protocol/trainingConfig.ts';
import { readFeatureExtractor } from '../../../src/ml/onnx/foreign/featuresAndScores.ts';
import { encodeOnnx } from '../../../src/ml/onnx/onnxModel.ts';
import { integers, list, node, numbers, patchWeights, tokenModel, whole } from './tokenModel.ts';

/** Two images, of whole numbers below 16. */
const pixels = (size: number) => Float32Array.from({ length: 2 * 3 * size * size }, (_, i) => (i * 7) % 13);

async function featuresOf(file: Uint8Array, pool: Pool | undefined, size = 4) {
  const { model, input, output, features, pool: taken } = readFeatureExtractor(file, { pool });
  const session = await InferenceSession.create(encodeOnnx(model), { logSeverityLevel: 3 });
  const result = (await session.run({ [input]: new Tensor('float32', pixels(size), [2, 3, size, size]) }))[output];
  await session.release();
  assert.deepEqual(result?.dims, [2, features]);
  assert.equal(result.type, 'float32');
  return { taken, values: Array.from(result.data as Float32Array) };
}

/** What the pooled tokens are by definition, from the pixels. */
function expected(pool: Pool, size = 4): number[] {
  const data = pixels(size);
  const side = size / 2;
  const sum = (n: number, c: number, row: number, column: number) =>
    [0, 1, size, size + 1].reduce((all, at) => {
      return all + (data[((n * 3 + c) * size + 2 * row) * size + 2 * column + at] ?? 0);
    }, 0);
  return [0, 1].flatMap((n) => {
    const first = [0, 1, 2].map((c) => 10 * sum(n, c, 0, 0));
    const mean = [0, 1, 2].map((c) => {
      const all = Array.from({ length: side * side }, (_, at) => sum(n, c, Math.floor(at / side), at % side));
      return all.reduce((total, value) => total + value, 0) / all.length;
    });
    return { cls: first, mean, 'cls+mean': [...first, ...mean] }[pool];
  });
}

const isNear = (values: readonly number[], wanted: readonly number[], within: number) => {
  assert.equal(values.length, wanted.length);
  values.forEach((value, at) => assert.ok(Math.abs(value - (wanted[at] ?? NaN)) <= within, `${value} at ${at}`));
};

for (const pool of ['cls', 'mean', 'cls+mean'] as const) {
  test(`tokens pooled by ${pool} are the class token and the mean without class and register tokens`, async () => {
    const { taken, values } = await featuresOf(tokenModel(), pool);
    assert.equal(taken, pool);
    isNear(values, expected(pool), 1e-4);
  });

  test(`a file in half precision gives the same by ${pool}, and one in 8 bits nearly the same`, async () => {
    const wanted = expected(pool);
    const largest = Math.max(...wanted.map(Math.abs));
    isNear((await featuresOf(tokenModel('float16'), pool)).values, wanted, 1e-3 * largest);
    isNear((await featuresOf(tokenModel('int8'), pool)).values, wanted, 0.02 * largest);
  });
}

test('images of any size are taken where the file leaves it open, and tokens are pooled by their mean where nothing is said', async () => {
  const open = tokenModel('float32', 'S');
  for (const size of [2, 6, 8]) {
    const { taken, values } = await featuresOf(open, undefined, size);
    assert.equal(taken, 'mean');
    isNear(values, expected('mean', size), 1e-4);
  }
});

test('a pooler’s output is taken before tokens, and a pooling of a file without tokens is refused', () => {
  const withPooler = (outputs: readonly string[]) => {
    const info = (name: string, shape: number[]) => ({
      name,
      type: {
        tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'N' }, ...shape.map((dimValue) => ({ dimValue }))] } },
      },
    });
    const all = { last_hidden_state: info('last_hidden_state', [4, 3]), pooler_output: info('pooler_output', [3]) };
    const graph = {
      name: 'pooler',
      node: [
        node('Conv', ['x', 'kernel'], 'patches', list('kernel_shape', 2, 2), list('strides', 2, 2)),
        node('Reshape', ['patches', 'flat'], 'columns'),
        node('Transpose', ['columns'], 'last_hidden_state', list('perm', 0, 2, 1)),
        node('ReduceMean', ['last_hidden_state'], 'pooler_output', list('axes', 1), whole('keepdims', 0)),
      ],
      initializer: [numbers('kernel', [3, 3, 2, 2], patchWeights, 'float32'), integers('flat', 0, 3, -1)],
      input: [info('x', [3, 4, 4])],
      output: outputs.map((name) => all[name as keyof typeof all]),
    };
    return encodeOnnx({ irVersion: 8, opsetImport: [{ domain: '', version: 13 }], graph });
  };
  const both = withPooler(['last_hidden_state', 'pooler_output']);
  assert.equal(readFeatureExtractor(both).featuresOutput, 'pooler_output');
  assert.equal(readFeatureExtractor(both, { pool: 'cls' }).featuresOutput, 'last_hidden_state');
  assert.throws(() => readFeatureExtractor(withPooler(['pooler_output']), { pool: 'cls' }), /gives no tokens/);
});
