import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readOnnxFile } from '../../src/ml/inference/foreignModel.ts';
import { tryModel } from '../../src/ml/inference/modelTrial.ts';
import {
  encodeOnnx,
  float32Value,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from '../../src/ml/onnx/onnxModel.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fivecrop-trial-'));
  process.env['FIVECROP_CACHE'] = join(folder, 'cache');
});
after(() => rm(folder, { recursive: true }));

const node = (opType: string, input: string[], output: string[], attribute: OnnxNode['attribute'] = []): OnnxNode => ({
  opType,
  input,
  output,
  attribute,
});
const floats = (name: string, dims: number[], value: number): OnnxTensor => ({
  name,
  dims,
  dataType: 1,
  floatData: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => value),
});
const integers = (name: string, int64Data: number[]): OnnxTensor => ({
  name,
  dims: [int64Data.length],
  dataType: 7,
  int64Data,
});

/** A classifier of two classes by mean colour, to whose scores `extra` is added. */
async function modelWith(name: string, nodes: OnnxNode[], more: OnnxTensor[] = []): Promise<string> {
  const graph: OnnxGraph = {
    node: [
      node('GlobalAveragePool', ['x'], ['map']),
      node('Flatten', ['map'], ['flat']),
      ...nodes,
      node('Add', ['flat', 'extra'], ['sum']),
      node('MatMul', ['sum', 'w'], ['scores']),
    ],
    initializer: [floats('w', [3, 2], 0.5), ...more],
    input: [float32Value('x', ['N', 3, 32, 32])],
    output: [float32Value('scores', ['N', 2])],
  };
  const file = join(folder, `${name}.onnx`);
  await writeFile(file, encodeOnnx({ irVersion: 8, opsetImport: [{ version: 13 }], graph }));
  return file;
}

function refused(pattern: RegExp) {
  return { name: 'UserError', message: pattern };
}

test('a sound model is tried once, and remembered', async () => {
  const file = await modelWith('sound', [], [floats('extra', [1], 0)]);
  await tryModel(await readOnnxFile(file), { kind: 'scores' }, 32);
  const remembered = await readdir(join(folder, 'cache', 'tried-models'));
  assert.equal(remembered.length, 1);
  const [marker = ''] = remembered;
  const { mtimeMs } = await stat(join(folder, 'cache', 'tried-models', marker));
  await tryModel(await readOnnxFile(file), { kind: 'scores' }, 32);
  assert.deepEqual(await readdir(join(folder, 'cache', 'tried-models')), remembered);
  assert.equal((await stat(join(folder, 'cache', 'tried-models', marker))).mtimeMs, mtimeMs, 'not tried again');
});

test('a model that takes all memory is refused in one sentence', async () => {
  const huge = [
    node('Expand', ['flat', 'shape'], ['wide']),
    node('ReduceMax', ['wide'], ['most'], [{ name: 'keepdims', type: 2, i: 0 }]),
    node('Mul', ['most', 'zero'], ['extra']),
  ];
  const file = await modelWith('huge', huge, [integers('shape', [1000, 2, 1_000_000, 3]), floats('zero', [1], 0)]);
  await assert.rejects(
    tryModel(await readOnnxFile(file), { kind: 'scores' }, 32),
    refused(/GB of memory|cannot be run/),
  );
});

test('a model that runs without end is refused in one sentence', async () => {
  const body: OnnxGraph = {
    name: 'body',
    node: [node('Identity', ['condition'], ['again']), node('Mul', ['state', 'one'], ['next'])],
    initializer: [floats('one', [1], 1)],
    input: [
      { name: 'iteration', type: { tensorType: { elemType: 7, shape: {} } } },
      { name: 'condition', type: { tensorType: { elemType: 9, shape: {} } } },
      float32Value('state', ['A', 'B']),
    ],
    output: [{ name: 'again', type: { tensorType: { elemType: 9, shape: {} } } }, float32Value('next', ['A', 'B'])],
  };
  const loop = node('Loop', ['times', 'yes', 'flat'], ['extra'], [{ name: 'body', type: 5, g: body }]);
  const yes: OnnxTensor = { name: 'yes', dims: [], dataType: 9, int32Data: [1] };
  const file = await modelWith('endless', [loop], [{ ...integers('times', [2 ** 50]), dims: [] }, yes]);
  // Also where its process has the processor for a tenth of the time: it is not judged by the clock.
  await assert.rejects(
    tryModel(await readOnnxFile(file), { kind: 'scores' }, 32, 1),
    refused(/within 2 seconds of processor time/),
  );
});

test('what ONNX Runtime refuses, and scores that are not finite, are told as the file’s fault', async () => {
  const custom = [{ ...node('Surprise', ['flat'], ['extra']), domain: 'com.example' }];
  await assert.rejects(
    tryModel(await readOnnxFile(await modelWith('custom', custom)), { kind: 'scores' }, 32),
    refused(/^custom\.onnx cannot be run \(.*Surprise/),
  );
  const infinite = await modelWith('infinite', [], [floats('extra', [1], Infinity)]);
  await assert.rejects(tryModel(await readOnnxFile(infinite), { kind: 'scores' }, 32), refused(/not finite/));
});
