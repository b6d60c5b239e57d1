import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { decodeOnnx, encodeOnnx, type OnnxModel } from '../../src/ml/onnx/onnxModel.ts';
import { referenceInput } from './referenceFill.ts';

const folder = join(import.meta.dirname, '../../../shared/data/backbones');
const skip = !existsSync(folder) && 'needs ../shared/data';
const files = skip === false ? readdirSync(folder).filter((name) => name.endsWith('.onnx')) : [];

async function run(model: Uint8Array): Promise<Map<string, unknown>> {
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const shape = [1, 3, 224, 224];
  const images = new Tensor('float32', referenceInput(shape).data, shape);
  const results = await session.run(Object.fromEntries(session.inputNames.map((name) => [name, images])));
  await session.release();
  return new Map(Object.entries(results).map(([name, { data }]) => [name, data]));
}

/** A model as text, weights included. An empty text is the format's default, which may be written or left out. */
function everything(model: OnnxModel): string {
  return JSON.stringify(model, (_, value: unknown) => (value === '' ? undefined : value));
}

test('there are ONNX files of others to read', { skip }, () => assert.ok(files.length > 0));

for (const file of files) {
  test(`${file} survives being read and written: nothing is lost, and it computes the same bits`, async () => {
    const bytes = new Uint8Array(readFileSync(join(folder, file)));
    const model = decodeOnnx(bytes);
    const written = encodeOnnx(model);
    // The bytes may differ: these files write lists of numbers one by one, ours packed.
    assert.ok(everything(decodeOnnx(written)) === everything(model), 'something was lost');
    assert.deepEqual(await run(written), await run(bytes));
  });
}
