import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input, parameter } from '../../../src/ml/graph/builder.ts';
import type { Graph } from '../../../src/ml/graph/graph.ts';
import { elementCount, float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { globalAveragePool } from '../../../src/ml/operators/pooling/globalAveragePool.ts';
import { multiheadSelfAttention } from '../../../src/ml/operators/matmul/attention.ts';
import { concat } from '../../../src/ml/operators/movement/concat.ts';
import { reshape } from '../../../src/ml/operators/movement/reshape.ts';
import { expand } from '../../../src/ml/operators/reduce/reduceSum.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { readFeatureExtractor } from '../../../src/ml/onnx/foreign/featuresAndScores.ts';
import { decodeOnnx, encodeOnnx } from '../../../src/ml/onnx/onnxModel.ts';
import { writeOnnx } from '../../../src/ml/lowering/writeOnnx.ts';
import type { Classifier } from '../../../src/ml/inference/classifier.ts';
import { loadClassifier } from '../../../src/ml/inference/loadClassifier.ts';
import { type Initialisation, initialise, torchDefaults } from '../../../src/ml/networks/initialise.ts';
import { squeezeExcite } from '../../../src/ml/networks/layers/squeezeExcite.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import { licenceNote } from '../../../src/protocol/licence.ts';
import { checkpointMetadataSchema } from '../../../src/protocol/checkpointMetadata.ts';
import { exportedNames } from '../../../src/protocol/exportFormat.ts';
import { imageSize, randomImages, writeRandomCheckpoint } from '../inference/checkpointFixture.ts';
import { labels } from '../inference/fakeClassifier.ts';
import { exportNetwork, untried } from './exports.ts';

const onCpu = { engine: onnxEngine, device: 'cpu' };

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** torchvision's normalisation, written out here so that it is not ours that is compared with ours. */
function normalised({ data, shape }: ReturnType<typeof randomImages>) {
  const plane = imageSize * imageSize;
  const mean = [0.485, 0.456, 0.406];
  const std = [0.229, 0.224, 0.225];
  const values = Float32Array.from(data, (value, at) => {
    const channel = Math.floor(at / plane) % 3;
    return (value / 255 - (mean[channel] ?? 0)) / (std[channel] ?? 1);
  });
  return { dtype: 'float32' as const, shape, data: values };
}

/** Probabilities at the temperature of the classifier's checkpoint, by the definition of the softmax. */
function atTemperatureOf({ calibration }: Classifier, { data }: { readonly data: Float32Array }): number[] {
  const raised = Array.from(data, (value) => value ** (1 / (calibration?.temperature[1] ?? 1)));
  return raised.map((value, at) => {
    const row = at - (at % labels.length);
    return value / raised.slice(row, row + labels.length).reduce((a, b) => a + b, 0);
  });
}

/** Runs the exported file by itself and compares its probabilities with those of the classifier that it came from. */
async function compare(file: string, count: number): Promise<void> {
  const images = randomImages(count, 7);
  const classifier = await loadClassifier({ kind: 'checkpoint', file }, onCpu, { trial: untried });
  const plain = await onnxEngine.compileOnnx(decodeOnnx(await exportNetwork(file)), 'cpu');
  try {
    const expected = atTemperatureOf(classifier, await classifier.probabilities(images));
    const output = (await plain.run(new Map([[exportedNames.input, normalised(images)]]))).get(
      exportedNames.logProbabilities,
    );
    assert.ok(output);
    assert.deepEqual(output.shape, [count, labels.length]);
    assert.equal(output.dtype, 'float32');
    const exported = Array.from(output.data, (value) => Math.exp(value));
    expected.forEach((value, at) => assert.ok(Math.abs(value - (exported[at] ?? NaN)) < 1e-5));
    const rows = new Set(Array.from(expected, (value) => value.toFixed(4)));
    assert.ok(count === 1 || rows.size > labels.length, 'images that give the same probabilities would prove nothing');
  } finally {
    await classifier.dispose();
    await plain.dispose();
  }
}

test('an exported network gives the same probabilities as the checkpoint, for any batch size', async (t) => {
  const file = await writeRandomCheckpoint(await temporaryFolder(t), { kind: 'architecture', name: 'ConvNet1' });
  await compare(file, 1);
  await compare(file, 3);
});

test('the temperature of a checkpoint is in its export, and is read back beside a network without it', async (t) => {
  const folder = await temporaryFolder(t);
  const network = { kind: 'architecture', name: 'ConvNet1' } as const;
  const calibration = { temperature: { 1: 2.5, 5: 3 }, images: 9 };
  await compare(await writeRandomCheckpoint(folder, network, { calibration }), 3);
  const images = randomImages(2, 4);
  const found = [];
  for (const about of [{}, { calibration }]) {
    const bytes = await exportNetwork(await writeRandomCheckpoint(folder, network, about));
    const { features } = readFeatureExtractor(bytes);
    await writeFile(join(folder, 'exported.onnx'), bytes);
    const again = await loadClassifier({ kind: 'backbone', file: join(folder, 'exported.onnx') }, onCpu, {
      trial: untried,
    });
    assert.deepEqual(again.calibration, about.calibration);
    found.push({ features, probabilities: (await again.probabilities(images)).data });
    await again.dispose();
  }
  assert.deepEqual(found[0], found[1]);
});

test('a network whose weights do not fit into an ONNX file is refused before they are read', async (t) => {
  const folder = await temporaryFolder(t);
  const network = { kind: 'architecture', name: 'ConvNet1' } as const;
  const size = { resize: 224, crop: 224, ...presetConstants('imagenet') };
  const large = { network: { ...network, name: 'vit_h_14' }, preprocessing: size };
  const file = await writeRandomCheckpoint(folder, network, large);
  await assert.rejects(exportNetwork(file), {
    name: 'UserError',
    message: `${file} cannot be exported, because its weights have 2.5 GB and an ONNX file has at most 2: use the checkpoint itself, or train a smaller network.`,
  });
});

/** Runs a graph of one row that was written for any batch, and compares three rows together with each alone. */
async function compareRows(graph: Graph, size: readonly number[]): Promise<void> {
  const drawn: Initialisation = () => ({ kind: 'normal', std: 1 });
  const written = writeOnnx(graph, { constants: initialise(stateShapes(graph), drawn, 3), openBatch: true });
  const model = await onnxEngine.compileOnnx(written, 'cpu');
  const row = elementCount(size);
  const data = Float32Array.from({ length: 3 * row }, (_, at) => Math.sin(at * at));
  const run = async (rows: number, from: number) => {
    const values = float32Tensor([rows, ...size], data.slice(row * from, row * (from + rows)));
    const outputs = await model.run(new Map([[graph.inputs[0] ?? '', values]]));
    return [...outputs.values()].flatMap((output) => Array.from(output.data, Number));
  };
  const together = await run(3, 0);
  const alone = [...(await run(1, 0)), ...(await run(1, 1)), ...(await run(1, 2))];
  await model.dispose();
  assert.equal(together.length, alone.length);
  together.forEach((value, at) => assert.ok(Math.abs(value - (alone[at] ?? NaN)) < 1e-5));
  assert.ok(new Set(together.map((value) => value.toFixed(3))).size > together.length / 2);
}

test('a squeeze-and-excite layer, which reshapes, follows the batch of an exported model', async () => {
  const builder = createGraphBuilder();
  const image = input(builder, 'image', [1, 4, 3, 3]);
  await compareRows(finishGraph(builder, [squeezeExcite(builder, 'se', image, { squeezed: 2 })]), [4, 3, 3]);
});

test('the tokens of an exported transformer follow the batch', async () => {
  const builder = createGraphBuilder();
  const tokens = input(builder, 'tokens', [1, 2, 4]);
  const start = expand(builder, parameter(builder, 'class_token', [1, 1, 4]), [1, 1, 4]);
  const x = multiheadSelfAttention(builder, 'attention', concat(builder, [start, tokens]), 2);
  await compareRows(finishGraph(builder, [reshape(builder, x, [1, 12])]), [2, 4]);
});

test('the export says in its metadata what is needed to use it', async (t) => {
  const file = await writeRandomCheckpoint(await temporaryFolder(t), { kind: 'architecture', name: 'ConvNet1' });
  const { metadataProps = [] } = decodeOnnx(await exportNetwork(file));
  const said = (name: string) => JSON.parse(metadataProps.find(({ key }) => key === name)?.value ?? '') as unknown;
  assert.deepEqual(said('labels'), labels);
  const metadata = checkpointMetadataSchema.parse(said('fivecrop'));
  assert.deepEqual(said('preprocessing'), metadata.preprocessing);
});

test('the licence of the weights that a run began with is in the metadata of its export, and is said', async (t) => {
  const about = { licence: 'dinov3-license' };
  const file = await writeRandomCheckpoint(await temporaryFolder(t), { kind: 'architecture', name: 'ConvNet1' }, about);
  const { metadataProps = [] } = decodeOnnx(await exportNetwork(file));
  assert.equal(metadataProps.find(({ key }) => key === 'licence')?.value, 'dinov3-license');
  assert.match(licenceNote(about) ?? '', /under the license dinov3-license/);
  assert.equal(licenceNote({}), undefined);
});

test('our own export is used with its own classes and pixels, which flags override, and nothing is suggested', async (t) => {
  const folder = await temporaryFolder(t);
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const file = join(folder, 'exported.onnx');
  await writeFile(file, await exportNetwork(checkpoint));
  const said: string[] = [];
  const options = { trial: untried, log: (line: string) => said.push(line) };
  const ours = await loadClassifier({ kind: 'checkpoint', file: checkpoint }, onCpu, options);
  const exported = await loadClassifier({ kind: 'backbone', file }, onCpu, options);
  const images = randomImages(2, 3);
  const [expected, found] = [await ours.probabilities(images), await exported.probabilities(images)];
  expected.data.forEach((value, at) => assert.ok(Math.abs(value - (found.data[at] ?? NaN)) < 1e-5));
  assert.deepEqual([exported.labels, exported.preprocessing], [labels, ours.preprocessing]);
  assert.deepEqual(said, []);
  const other = await loadClassifier({ kind: 'backbone', file, preprocessing: { channels: 'bgr' } }, onCpu, options);
  assert.deepEqual(other.preprocessing, { ...ours.preprocessing, channels: 'bgr' });
  for (const classifier of [ours, exported, other]) await classifier.dispose();
});

test('our own export whose labels were changed by hand is refused', async (t) => {
  const folder = await temporaryFolder(t);
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const model = decodeOnnx(await exportNetwork(checkpoint));
  const file = join(folder, 'exported.onnx');
  for (const value of ['[', '[]', JSON.stringify(labels.slice(1)), JSON.stringify(labels.slice(0, 1))]) {
    const metadataProps = (model.metadataProps ?? []).map((entry) =>
      entry.key === 'labels' ? { key: 'labels', value } : entry,
    );
    await writeFile(file, encodeOnnx({ ...model, metadataProps }));
    await assert.rejects(loadClassifier({ kind: 'backbone', file }, onCpu, { trial: untried }), { name: 'UserError' });
  }
});

/** A foreign network in ONNX: a convolution, the mean, and a classifier of 7 classes on 4 features. */
async function writeBackbone(folder: string): Promise<{ file: string; sha256: string }> {
  const builder = createGraphBuilder();
  const pixels = input(builder, 'pixels', [1, 3, imageSize, imageSize]);
  const features = globalAveragePool(builder, conv2d(builder, 'conv', pixels, { channels: 4, kernel: 3, stride: 2 }));
  const graph = finishGraph(builder, [linear(builder, 'scores', features, 7)]);
  const constants = initialise(stateShapes(graph), torchDefaults, 2);
  const bytes = encodeOnnx(writeOnnx(graph, { constants, openBatch: true }));
  const file = join(folder, 'backbone.onnx');
  await writeFile(file, bytes);
  return { file, sha256: createHash('sha256').update(bytes).digest('hex') };
}

test('a head on an ONNX backbone is exported as one file with the backbone inside', async (t) => {
  const folder = await temporaryFolder(t);
  const backbone = await writeBackbone(folder);
  const { featuresOutput, features } = readFeatureExtractor(await readFile(backbone.file));
  assert.equal(features, 4);
  const network = { kind: 'backbone' as const, ...backbone, featuresOutput, features };
  const file = await writeRandomCheckpoint(folder, network);
  await compare(file, 1);
  await compare(file, 3);
});

test('a backbone that was replaced is refused, and one that was moved beside the checkpoint is found', async (t) => {
  const folder = await temporaryFolder(t);
  const backbone = await writeBackbone(folder);
  const { featuresOutput, features } = readFeatureExtractor(await readFile(backbone.file));
  const moved = { kind: 'backbone' as const, ...backbone, featuresOutput, features, file: 'C:\\gone\\backbone.onnx' };
  const file = await writeRandomCheckpoint(folder, moved);
  await (await loadClassifier({ kind: 'checkpoint', file }, onCpu, { trial: untried })).dispose();
  await writeFile(backbone.file, 'another file');
  await assert.rejects(loadClassifier({ kind: 'checkpoint', file }, onCpu, { trial: untried }), {
    name: 'UserError',
    message: /is not the file that best\.safetensors was trained on/,
  });
});

test('an ONNX file of its own classes is a classifier with numbered classes', async (t) => {
  const { file } = await writeBackbone(await temporaryFolder(t));
  const said: string[] = [];
  const classifier = await loadClassifier({ kind: 'backbone', file }, onCpu, {
    trial: untried,
    log: (line) => said.push(line),
  });
  const { data, shape } = await classifier.probabilities(randomImages(2, 3));
  await classifier.dispose();
  assert.deepEqual([shape, classifier.labels.length, classifier.preprocessing.crop], [[2, 7], 7, imageSize]);
  const sums = [0, 7].map((start) => data.subarray(start, start + 7).reduce((a, b) => a + b, 0));
  for (const sum of sums) assert.ok(Math.abs(sum - 1) < 1e-5);
  assert.match(said.join(), /No --preprocess.*imagenet/);
});
