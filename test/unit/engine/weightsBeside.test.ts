import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRuntime } from '../../../src/ml/engine/onnxruntime/loadRuntime.ts';
import { createSession } from '../../../src/ml/engine/onnxruntime/session.ts';
import { weightsBeside } from '../../../src/ml/engine/onnxruntime/weightsBeside.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import { initialise, torchDefaults } from '../../../src/ml/networks/initialise.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { encodeOnnx } from '../../../src/ml/onnx/onnxModel.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';

const seed = 7;
const features = 160;

/** Two Linears, of 100 KB and of 2.5 KB. */
function twoLinears() {
  const builder = createGraphBuilder('running');
  const x = input(builder, 'x', [3, features]);
  const graph = finishGraph(builder, [linear(builder, 'small', linear(builder, 'large', x, features), 4)]);
  return writeOnnx(graph, { constants: initialise(stateShapes(graph), torchDefaults, seed) });
}

test('large weights go beside the model on the CPU, and elsewhere only where they do not fit into it', () => {
  const model = twoLinears();
  const large = 4 * features * features;
  const sizesOn = (device: string, most?: number) =>
    weightsBeside(model, device, most).externalData.map(({ data }) => data.byteLength);
  assert.deepEqual(sizesOn('cpu'), [large]);
  assert.deepEqual(sizesOn('webgpu'), []);
  assert.deepEqual(sizesOn('webgpu', large), [large]);
  const { small } = weightsBeside(model, 'webgpu', large);
  assert.ok(encodeOnnx(small).byteLength < encodeOnnx(model).byteLength - large + 500);
});

test(`a model computes the same with its weights beside it as with them in it (seed ${seed})`, async () => {
  const model = twoLinears();
  const { InferenceSession, Tensor } = loadRuntime();
  const random = createRandom(seed);
  const x = new Tensor(
    'float32',
    Float32Array.from({ length: 3 * features }, () => random.next() - 0.5),
    [3, features],
  );
  const beside = await createSession(model, 'cpu', 'inference');
  const inside = await InferenceSession.create(encodeOnnx(model), { executionProviders: ['cpu'] });
  try {
    const [output = ''] = beside.outputNames;
    const of = async (session: Pick<typeof beside, 'run'>) => (await session.run({ x }, [output]))[output]?.data;
    const [ours, theirs] = [
      await of(beside),
      await of({ run: (feeds, names) => inside.run(feeds, names as string[]) }),
    ];
    assert.equal(ours?.length, 12);
    assert.deepEqual(ours, theirs);
  } finally {
    await beside.release();
    await inside.release();
  }
});
