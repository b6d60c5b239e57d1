import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildNetwork, namedNetwork } from '../../../src/ml/networks/registry.ts';
import { calibrationImages, type GraphForBatch } from '../../../src/ml/engine/engine.ts';
import { has8Bits, inPrecision } from '../../../src/ml/engine/inPrecision.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { tensorflowEngine } from '../../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { normalize } from '../../../src/ml/operators/elementwise/normalize.ts';
import { pixelConstants } from '../../../src/ml/graph/pixelConstants.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { sliceRows } from '../../../src/ml/graph/sliceRows.ts';
import { float32Tensor, type StateDict, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { initialise, torchDefaults } from '../../../src/ml/networks/initialise.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { preprocessPresets } from '../../../src/protocol/preprocessing.ts';
import { seed } from '../../unit/engine/seed.ts';

const random = createRandom(seed, 'quantizedModel');
const side = 64;

/** Images of a brightness and a grain of their own. */
function images(count: number): Tensor {
  const data = new Uint8Array(count * 3 * side * side);
  for (let image = 0; image < count; image++) {
    const [light, grain] = [60 + 130 * random.next(), 20 + 40 * random.next()];
    for (let at = 0; at < 3 * side * side; at++)
      data[image * 3 * side * side + at] = light + grain * (2 * random.next() - 1);
  }
  return { dtype: 'uint8', shape: [count, 3, side, side], data };
}

/** The networks that the formats of layers come from: joins, sums, norms before convolutions, pools. */
function network(name: string): { graphFor: GraphForBatch; state: StateDict } {
  const graphFor: GraphForBatch = (batch) => {
    const builder = createGraphBuilder('running');
    const pixels = input(builder, 'images', [batch, 3, side, side], 'uint8');
    const x = normalize(builder, pixels, pixelConstants(preprocessPresets.imagenet));
    return finishGraph(builder, [buildNetwork(name, builder, x, { hidden: [], dropout: 0, classes: 9 })]);
  };
  return { graphFor, state: initialise(stateShapes(graphFor(1)), namedNetwork(name).initialise, seed) };
}

async function outputOf(
  { graphFor, state }: ReturnType<typeof network>,
  batches: readonly Tensor[],
  said?: string[],
  onEnd: (in8Bits: boolean | undefined) => void = () => undefined,
): Promise<Tensor[]> {
  const engine = said ? inPrecision(onnxEngine, 'int8', (sentence) => said.push(sentence)) : onnxEngine;
  const model = await engine.compileInference(graphFor, state, 'cpu');
  const outputs: Tensor[] = [];
  for (const batch of batches) outputs.push(...(await model.run(new Map([['images', batch]]))).values());
  onEnd(model.in8Bits?.());
  await model.dispose();
  return outputs;
}

/** Norm of the difference in norms of what is wanted. */
function change(found: Tensor | undefined, wanted: Tensor | undefined): number {
  let [difference, norm] = [0, 0];
  wanted?.data.forEach((value, at) => {
    difference += (Number(value) - Number(found?.data[at])) ** 2;
    norm += Number(value) ** 2;
  });
  return Math.sqrt(difference / norm);
}

/** Small networks of families that are built in different ways. */
const chosenNetworks = [
  ...['resnet18', 'densenet121', 'squeezenet1_1', 'regnet_y_400mf'],
  ...['timm/convnextv2_atto.fcmae_ft_in1k', 'timm/vit_small_patch16_dinov3.lvd1689m'],
];

for (const name of chosenNetworks) {
  test(`${name} computes its first images in float32 and those after them in 8 bits, close by`, async () => {
    const chosen = network(name);
    const batch = images(calibrationImages + 5);
    const said: string[] = [];
    const [found] = await outputOf(chosen, [batch], said, (in8Bits) => assert.equal(in8Bits, true));
    const [wanted] = await outputOf(chosen, [batch], undefined, (in8Bits) => assert.equal(in8Bits, undefined));
    assert.ok(found && wanted);
    assert.deepEqual(found.shape, wanted.shape);
    const rows = (tensor: Tensor, from: number, to?: number) => sliceRows(tensor, from, to ?? calibrationImages + 5);
    const first = change(rows(found, 0, calibrationImages), rows(wanted, 0, calibrationImages));
    assert.ok(first < 1e-5, `${first}`);
    const later = change(rows(found, calibrationImages), rows(wanted, calibrationImages));
    assert.ok(later > 1e-4 && later < 0.1, `${later}`);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /^Computed in 8 bits .* move by \d+\.\d %\.$/u);
  });
}

test('the images by which ranges are found may be written over after their run', async () => {
  const chosen = network('squeezenet1_1');
  const batch = images(calibrationImages + 1);
  const rows = Array.from({ length: calibrationImages + 1 }, (_, row) => sliceRows(batch, row, row + 1));
  const said: string[] = [];
  const expected = (await outputOf(chosen, rows, said)).at(-1);
  const engine = inPrecision(onnxEngine, 'int8', (sentence) => said.push(sentence));
  const model = await engine.compileInference(chosen.graphFor, chosen.state, 'cpu');
  const memory = new Uint8Array(3 * side * side);
  let found: Tensor | undefined;
  for (const { data } of rows) {
    memory.set(data as Uint8Array);
    [found] = (
      await model.run(new Map([['images', { dtype: 'uint8', shape: [1, 3, side, side], data: memory }]]))
    ).values();
    memory.fill(0);
  }
  await model.dispose();
  assert.deepEqual(found, expected);
  assert.equal(said[0], said[1], 'outputs are said to move as far');
});

test('an image gives the same numbers in 8 bits alone and beside others', async () => {
  const chosen = network('resnet18');
  const [first, later] = [images(calibrationImages), images(3)];
  const [, whole, ...alone] = await outputOf(chosen, [first, later, ...[0, 1, 2].map((row) => sliceRows(later, row, row + 1))], []); // prettier-ignore
  assert.ok(whole);
  for (const [row, output] of alone.entries()) assert.deepEqual(output.data, sliceRows(whole, row, row + 1).data);
});

test('a network whose outputs 8 bits would lose is computed in float32, which is said', async () => {
  // The second convolution gives the small difference of two large maps.
  const graphFor: GraphForBatch = (batch) => {
    const builder = createGraphBuilder('running');
    const x = input(builder, 'images', [batch, 3, side, side]);
    const large = conv2d(builder, 'a', x, { channels: 2, kernel: 1 });
    const small = conv2d(builder, 'b', large, { channels: 1, kernel: 1 });
    return finishGraph(builder, [globalAveragePool(builder, small)]);
  };
  const state: StateDict = new Map([
    ['a.weight', float32Tensor([2, 3, 1, 1], Float32Array.of(9, 9, 9, 9, 9, 9.01))],
    ['a.bias', float32Tensor([2])],
    ['b.weight', float32Tensor([1, 2, 1, 1], Float32Array.of(-1, 1))],
    ['b.bias', float32Tensor([1])],
  ]);
  const batch = float32Tensor([20, 3, side, side], Float32Array.from(images(20).data as Uint8Array));
  const said: string[] = [];
  const [found] = await outputOf({ graphFor, state }, [batch], said, (in8Bits) => assert.equal(in8Bits, false));
  const [wanted] = await outputOf({ graphFor, state }, [batch]);
  assert.ok(change(found, wanted) < 1e-5);
  assert.match(said.join(), /would move this network's outputs by \d+\.\d %, so it is computed in float32/u);
});

test('what has nothing to quantize, or no 8 bits, computes in float32, which is said', async () => {
  const graphFor: GraphForBatch = (batch) => {
    const builder = createGraphBuilder('running');
    return finishGraph(builder, [linear(builder, 'fc', input(builder, 'images', [batch, 4]), 2)]);
  };
  const state = initialise(stateShapes(graphFor(1)), torchDefaults, 0);
  const rows = float32Tensor(
    [3, 4],
    Float32Array.from({ length: 12 }, () => random.next()),
  );
  const said: string[] = [];
  const [found] = await outputOf({ graphFor, state }, [rows], said);
  assert.deepEqual(found, (await outputOf({ graphFor, state }, [rows]))[0]);
  assert.match(said.join(), /Nothing of this network/u);
  assert.equal(
    inPrecision(tensorflowEngine, 'int8', (sentence) => said.push(sentence)),
    tensorflowEngine,
  );
  assert.match(said.at(-1) ?? '', /tensorflow does not compute in 8 bits/u);
});

test('8 bits are computed by ONNX Runtime on the CPU, and nowhere else', () => {
  assert.equal(has8Bits(onnxEngine, 'cpu'), true);
  assert.equal(has8Bits(onnxEngine, 'webgpu'), false);
  assert.equal(has8Bits(tensorflowEngine, 'cpu'), false);
});
