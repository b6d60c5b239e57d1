import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import sharp from 'sharp';
import type { Fit, Interpolation } from '../../../src/protocol/preprocessing.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import { exportedNames, exportFormSchema, exportKeys, exportTestsSchema } from '../../../src/protocol/exportFormat.ts';
import { classifierFromFlags } from '../../../src/ml/cli/classifierFlags.ts';
import { loadRuntime } from '../../../src/ml/engine/onnxruntime/loadRuntime.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { type ExportedFile, type ExportOptions } from '../../../src/ml/export/exportCheckpoint.ts';
import type { Runtime } from '../../../src/ml/export/exportRuntime.ts';
import { exportStateDict } from '../../../src/ml/export/exportStateDict.ts';
import { verifyExport } from '../../../src/ml/export/verifyExport.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { noDigest, stampDigest } from '../../../src/ml/inference/exportDigest.ts';
import { loadClassifier } from '../../../src/ml/inference/loadClassifier.ts';
import { predictImages } from '../../../src/ml/inference/predictImages.ts';
import { decodeOnnx, encodeOnnx, onnxNumber, type OnnxModel } from '../../../src/ml/onnx/onnxModel.ts';
import { writeCheckpoint } from '../../../src/ml/weights/checkpoint.ts';
import { writeTorchFile } from '../../../src/ml/weights/writeTorchFile.ts';
import { readCheckpointMetadata } from '../../../src/runs/checkpointHeader.ts';
import { imageSize, randomImages, writeRandomCheckpoint } from '../inference/checkpointFixture.ts';
import { labels } from '../inference/fakeClassifier.ts';
import { type Picture, writePictures } from './exportedPictures.ts';
import { exportWith, untried } from './exports.ts';

/** Without test images, which cost time. */
const none = { tests: { count: 0, ofData: false } };
const onCpu = { engine: onnxEngine, device: 'cpu' };
const network = { kind: 'architecture', name: 'ConvNet1' } as const;
const calibration = {
  temperature: { 1: 2.5, 5: 3 },
  images: 9,
  rejection: { targetError: 0.1, threshold: { 1: 0.4, 5: 0.36 } },
};

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

function planes({ width, height, data }: Picture): Uint8Array {
  const plane = width * height;
  return Uint8Array.from(data, (_, at) => data[3 * (at % plane) + Math.floor(at / plane)] ?? 0);
}

/** How far the exported file is from what `fivecrop predict` says of the same images, and from its reject. */
async function largestDifference(checkpoint: string, pictures: readonly Picture[], { bytes, form }: ExportedFile) {
  const { InferenceSession, Tensor } = loadRuntime();
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const classifier = await loadClassifier({ kind: 'checkpoint', file: checkpoint }, onCpu, { trial: untried });
  let largest = 0;
  const files = pictures.map(({ file }) => file);
  const options = { cropCount: form.crops, topK: labels.length, reject: form.threshold !== undefined };
  let at = 0;
  for await (const prediction of predictImages(classifier, files, options)) {
    assert.ok(!('error' in prediction));
    const picture = pictures[at++];
    assert.ok(picture);
    const { width, height, data } = picture;
    const pixels =
      form.input === 'hwc'
        ? new Tensor('uint8', data, [height, width, 3])
        : new Tensor('uint8', planes(picture), [1, 3, height, width]);
    const results = await session.run({ [exportedNames.pixels]: pixels });
    const found = results[exportedNames.probabilities]?.data as Float32Array;
    for (const { index, probability } of prediction.mean) {
      largest = Math.max(largest, Math.abs(probability - (found[index] ?? NaN)));
    }
    if (options.reject) assert.equal(Boolean(results[exportedNames.rejected]?.data[0]), prediction.rejected);
  }
  await session.release();
  await classifier.dispose();
  return largest;
}

const forms: readonly (readonly [Fit, Interpolation, 1 | 5, ExportOptions['input']])[] = [
  ['crop', 'bilinear', 5, 'hwc'],
  ['crop', 'bicubic', 1, 'nchw'],
  ['pad', 'lanczos', 5, 'hwc'],
  ['squash', 'bicubic', 5, 'nchw'],
];

for (const [fit, interpolation, crops, input] of forms) {
  test(`an export gives predict's probabilities for images of any size (${fit}, ${interpolation}, ${crops}, ${input})`, async (t) => {
    const folder = await temporaryFolder(t);
    const resize = fit === 'squash' ? imageSize : fit === 'pad' ? imageSize + 1 : imageSize + 5;
    const preprocessing = { ...presetConstants('caffe-bgr'), resize, crop: imageSize, fit, interpolation };
    const checkpoint = await writeRandomCheckpoint(folder, network, { preprocessing, calibration });
    const sizes = [[1, 1], [3, 70], [37, 32], [101, 64], [64, 101]] as const; // prettier-ignore
    const pictures = await writePictures(folder, sizes);
    const exported = await exportWith(checkpoint, { input, crops });
    assert.ok((await largestDifference(checkpoint, pictures, exported)) < 1e-6);
    assert.equal(exported.form.crops, fit === 'crop' ? crops : 1);
    assert.equal(exported.verification?.tests, 4);
  });
}

test('several images at once give what each gives alone', async (t) => {
  const folder = await temporaryFolder(t);
  const { bytes } = await exportWith(await writeRandomCheckpoint(folder, network), { input: 'nchw' });
  const { InferenceSession, Tensor } = loadRuntime();
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const { data } = randomImages(3, 8);
  const run = async (from: number, to: number) => {
    const size = 3 * imageSize * imageSize;
    const pixels = new Tensor('uint8', data.subarray(from * size, to * size), [to - from, 3, imageSize, imageSize]);
    return Array.from((await session.run({ pixels }))[exportedNames.probabilities]?.data as Float32Array);
  };
  const [together, alone] = [await run(0, 3), [...(await run(0, 1)), ...(await run(1, 2)), ...(await run(2, 3))]];
  await session.release();
  assert.equal(together.length, 3 * labels.length);
  together.forEach((value, at) => assert.ok(Math.abs(value - (alone[at] ?? NaN)) < 1e-6));
});

function changed(bytes: Uint8Array, change: (model: OnnxModel) => void): Uint8Array {
  const model = decodeOnnx(bytes.slice());
  change(model);
  return encodeOnnx(model);
}

const metadata = (key: string, change: (value: string) => string) => (model: OnnxModel) => {
  const entry = model.metadataProps?.find((one) => one.key === key);
  assert.ok(entry);
  const value = change(entry.value);
  assert.notEqual(value, entry.value);
  entry.value = value;
};

test('verify passes a file that was written again as it was, and fails each changed constant, label and threshold', async (t) => {
  const checkpoint = await writeRandomCheckpoint(await temporaryFolder(t), network, { calibration });
  const { bytes } = await exportWith(checkpoint);
  assert.equal(
    (
      await verifyExport(
        'same.onnx',
        changed(bytes, () => undefined),
      )
    ).failure,
    undefined,
  );
  const changes: ((model: OnnxModel) => void)[] = [
    metadata('labels', (value) => value.replace('"name":"', '"name":"X')),
    metadata('export', (value) => value.replace('0.36', '0.37')),
    metadata('export', (value) => value.replace('"temperature":3', '"temperature":2')),
    metadata('preprocessing', (value) => value.replace('0.485', '0.486')),
    metadata('tests', (value) => value.replace('"width":1,', '"width":2,')),
  ];
  const { initializer = [] } = decodeOnnx(bytes).graph;
  for (const at of initializer.keys()) {
    changes.push(({ graph }) => {
      const { rawData = new Uint8Array() } = graph.initializer?.[at] ?? {};
      const copy = Uint8Array.from(rawData);
      copy[0] = (copy[0] ?? 0) ^ 1;
      Object.assign(graph.initializer?.[at] ?? {}, { rawData: copy });
    });
  }
  for (const change of changes) {
    await assert.rejects(verifyExport('x.onnx', changed(bytes, change)), {
      name: 'UserError',
      message: /not as it was/,
    });
  }
});

test('verify notices a bit that is flipped in any part of the file', async (t) => {
  const checkpoint = await writeRandomCheckpoint(await temporaryFolder(t), network, { calibration });
  const { bytes } = await exportWith(checkpoint);
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { graph, metadataProps = [] } = decodeOnnx(bytes);
  const places = [
    ...(graph.initializer ?? []).map(({ name, rawData = new Uint8Array() }) => [name ?? '', rawData] as const),
    ...metadataProps.flatMap(({ key, value }) => [key, value].map((text) => [key, partOf(whole, text)] as const)),
    ...Array.from({ length: 20 }, (_, at) => [`anywhere ${at}`, whole] as const),
  ].filter(([, { length }]) => length > 0);
  assert.ok(places.length >= 50);
  const seed = Date.now() % 2 ** 31;
  t.diagnostic(`seed ${seed}`);
  const random = createRandom(seed, 'flips');
  for (const [name, part] of places) {
    const copy = bytes.slice();
    const at = part.byteOffset - bytes.byteOffset + random.integer(part.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.integer(8));
    await assert.rejects(verifyExport('x.onnx', copy), { name: 'UserError' }, `${name}, bit in byte ${at}`);
  }
});

/** The last place of a text in a file: what is said of it stands at its end. */
function partOf(file: Buffer, text: string): Buffer {
  const at = file.lastIndexOf(text);
  assert.ok(at >= 0);
  return file.subarray(at, at + Buffer.byteLength(text));
}

/** Our runtime, whose results are changed. */
function altered(change: (results: Readonly<Record<string, { data: unknown }>>) => void): Runtime {
  const { InferenceSession, Tensor } = loadRuntime();
  const create = async (bytes: Uint8Array) => {
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
    const run = async (feeds: Parameters<typeof session.run>[0]) => {
      const results = await session.run(feeds);
      change(results);
      return results;
    };
    return { run, release: () => session.release() };
  };
  return { InferenceSession: { create }, Tensor };
}

test('verify says where another runtime differs by more than is allowed, in probabilities and in what is rejected', async (t) => {
  const checkpoint = await writeRandomCheckpoint(await temporaryFolder(t), network, { calibration });
  const { bytes, form } = await exportWith(checkpoint);
  const moved = (by: number) =>
    altered(({ [exportedNames.probabilities]: told }) => {
      const data = told?.data as Float32Array;
      data[1] = (data[1] ?? 0) + by;
    });
  assert.equal((await verifyExport('x.onnx', bytes, moved(form.tolerance / 2))).failure, undefined);
  const { failure, largest } = await verifyExport('x.onnx', bytes, moved(2 * form.tolerance));
  assert.deepEqual([failure?.test, failure?.index], [1, 1]);
  assert.ok(largest > form.tolerance);
  assert.ok((await verifyExport('x.onnx', bytes, moved(NaN))).failure);
  const other = altered(({ [exportedNames.rejected]: told }) => {
    const data = told?.data as Uint8Array;
    data[0] = 1 - (data[0] ?? 0);
  });
  assert.ok((await verifyExport('x.onnx', bytes, other)).failure);
});

/** The file with a change, stamped as its writer stamps it. */
function stamped(bytes: Uint8Array, change: (model: OnnxModel) => void): Uint8Array {
  const written = changed(bytes, (model) => {
    change(model);
    metadata(exportKeys.digest, () => noDigest)(model);
  });
  stampDigest(written);
  return written;
}

test('verify opens no file that an export names, and says in a sentence what is damaged, whatever the digest says', async (t) => {
  const folder = await temporaryFolder(t);
  const { bytes } = await exportWith(await writeRandomCheckpoint(folder, network), none);
  const refused = (change: (model: OnnxModel) => void, message: RegExp) =>
    assert.rejects(verifyExport('x.onnx', stamped(bytes, change)), { name: 'UserError', message });
  await refused(({ graph: { initializer: [first] = [] } }) => {
    Object.assign(first ?? {}, { dataLocation: 1, externalData: [{ key: 'location', value: join(folder, 'pipe') }] });
    delete first?.rawData;
  }, /^x\.onnx does not run in this runtime \(the ONNX file keeps its weights in a second file; [^.]*\)\.$/);
  await refused(
    metadata(exportKeys.form, () => '{'),
    /^x\.onnx does not run in this runtime \([^.]*JSON[^.]*\)\.$/,
  );
});

test('verify refuses files that hold no proof, in sentences', async (t) => {
  const checkpoint = await writeRandomCheckpoint(await temporaryFolder(t), network);
  const { bytes } = await exportWith(checkpoint, { input: 'normalized' });
  await assert.rejects(verifyExport('x.onnx', bytes), /as it was exported, but has no test images/);
  const old = changed(bytes, (model) => (model.metadataProps = []));
  await assert.rejects(verifyExport('x.onnx', old), { name: 'UserError', message: /no proof in it/ });
  assert.deepEqual((await exportWith(checkpoint, { tests: { count: 0, ofData: true } })).verification?.tests, 0);
});

test('an export is read back with its classes, pixels, temperature and threshold, and classifies as its checkpoint', async (t) => {
  const folder = await temporaryFolder(t);
  const checkpoint = await writeRandomCheckpoint(folder, network, { calibration });
  const file = join(folder, 'exported.onnx');
  const ours = await loadClassifier({ kind: 'checkpoint', file: checkpoint }, onCpu);
  const images = randomImages(3, 6);
  const expected = await ours.probabilities(images);
  for (const wishes of [{}, { input: 'nchw', crops: 1 }, { input: 'normalized' }, { precision: 'float16' }] as const) {
    await writeFile(file, (await exportWith(checkpoint, { ...none, ...wishes })).bytes);
    const again = await loadClassifier({ kind: 'checkpoint', file }, onCpu, { trial: untried });
    assert.deepEqual(again.labels, ours.labels);
    assert.deepEqual(again.preprocessing, ours.preprocessing);
    assert.deepEqual(again.calibration, calibration);
    const { data } = await again.probabilities(images);
    await again.dispose();
    const bound = 'precision' in wishes ? 1e-3 : 1e-6;
    data.forEach((value, at) => assert.ok(Math.abs(value - (expected.data[at] ?? NaN)) < bound));
  }
  await ours.dispose();
});

test('an export that was changed says so where it is used, given as a checkpoint too', async (t) => {
  const folder = await temporaryFolder(t);
  const { bytes } = await exportWith(await writeRandomCheckpoint(folder, network), none);
  const file = join(folder, 'exported.onnx');
  const other = changed(bytes, ({ graph: { initializer = [] } }) => {
    const { rawData = new Uint8Array() } = initializer[0] ?? {};
    Object.assign(initializer[0] ?? {}, { rawData: rawData.map((value, at) => (at === 0 ? value ^ 1 : value)) });
  });
  for (const [content, expected] of [
    [bytes, /^$/],
    [other, /^exported\.onnx was changed or damaged since it was exported/],
  ] as const) {
    // prettier-ignore
    await writeFile(file, content);
    const said: string[] = [];
    const source = classifierFromFlags({ checkpoint: file });
    assert.equal(source.kind, 'backbone');
    const log = (sentence: string) => said.push(sentence);
    await (await loadClassifier(source, onCpu, { trial: untried, log })).dispose();
    assert.match(said.join(), expected);
  }
  await assert.rejects(exportWith(file), {
    name: 'UserError',
    message: /exported\.onnx is an ONNX file, not a checkpoint/,
  });
});

/** A data set of three classes of one colour each, in folders train and valid. */
async function writeColours(folder: string): Promise<string> {
  const data = join(folder, 'colours');
  for (const split of ['train', 'valid']) {
    for (const [at, { folder: name }] of labels.entries()) {
      await mkdir(join(data, split, name), { recursive: true });
      for (let number = 0; number < 4; number++) {
        const background = { r: 0, g: 0, b: 0, [['r', 'g', 'b'][at] ?? 'r']: 100 + 20 * number };
        const create = { width: 40 + number, height: 50 - number, channels: 3, background } as const;
        await sharp({ create })
          .png()
          .toFile(join(data, split, name, `${number}.png`));
      }
    }
  }
  return data;
}

test('lower precisions state the accuracy that they have on the validation images, and 8 bits give up the temperature', async (t) => {
  const folder = await temporaryFolder(t);
  const data = await writeColours(folder);
  const training = { run: 'test', method: 'scratch', step: 0, epoch: 0, data } as const;
  const checkpoint = await writeRandomCheckpoint(folder, network, { training, calibration });
  for (const precision of ['float16', 'int8'] as const) {
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    const tests = { count: 5, ofData: true };
    const { bytes, form, verification } = await exportWith(checkpoint, { precision, tests, onNote });
    assert.equal(form.accuracy?.images, 12);
    assert.equal(verification?.ofData, 2);
    assert.deepEqual([form.temperature, form.threshold], precision === 'int8' ? [undefined, undefined] : [3, 0.36]);
    assert.equal(notes.length, precision === 'int8' ? 1 : 0);
    const { initializer = [], node } = decodeOnnx(bytes).graph;
    const types = new Set(
      initializer.filter(({ dims = [] }) => dims.map(onnxNumber).length === 4).map(({ dataType }) => dataType),
    );
    if (precision === 'float16') assert.ok(types.has(10));
    else assert.ok(node.some(({ opType }) => opType === 'QLinearConv'));
    const file = join(folder, 'low.onnx');
    await writeFile(file, bytes);
    const again = await loadClassifier({ kind: 'backbone', file }, onCpu, { trial: untried });
    assert.deepEqual(again.calibration, precision === 'int8' ? undefined : calibration);
    await again.dispose();
  }
});

test('what cannot be exported is refused in a sentence', async (t) => {
  const folder = await temporaryFolder(t);
  const checkpoint = await writeRandomCheckpoint(folder, network);
  await assert.rejects(exportWith(checkpoint, { precision: 'int8' }), {
    name: 'UserError',
    message: /training images/,
  });
  const notes: string[] = [];
  await exportWith(checkpoint, { ...none, precision: 'float16', onNote: (note) => notes.push(note) });
  assert.match(notes.join(), /accuracy in float16 is not known/);
  const preprocessing = { resize: 30, crop: imageSize, ...presetConstants('imagenet') };
  const small = await writeRandomCheckpoint(folder, network, { preprocessing });
  await assert.rejects(exportWith(small), { name: 'UserError', message: /less than its crop/ });
});

test('weights that no file of the format can hold are refused in a sentence, before they are read', async (t) => {
  const folder = await temporaryFolder(t);
  // The header says what the weights would be; there are none.
  const withLayers = async (count: number) => {
    const file = await writeRandomCheckpoint(folder, network);
    const hidden = Array.from({ length: count }, () => 16_384);
    const head = { hidden, dropout: 0, classes: labels.length };
    await writeCheckpoint(file, new Map(), { ...(await readCheckpointMetadata(file)), head });
    return file;
  };
  const three = await withLayers(4);
  await assert.rejects(exportWith(three), {
    name: 'UserError',
    message: /its weights have 3\.\d GB and an ONNX file has at most 2: use the checkpoint itself/,
  });
  const out = join(folder, 'out.pth');
  // Small enough for torch's format; what is wrong is that they are not there.
  await assert.rejects(exportStateDict(three, out), /best\.safetensors/);
  await assert.rejects(exportStateDict(await withLayers(5), out), {
    name: 'UserError',
    message: /cannot be written as \*\.pth, because its weights have 4\.\d GB and such a file has at most 4/,
  });
  assert.deepEqual(await readdir(folder), ['best.safetensors']);
  const mebibyte = float32Tensor([2 ** 18]);
  const tensors = new Map(Array.from({ length: 4097 }, (_, at) => [String(at), mebibyte]));
  await assert.rejects(writeTorchFile(out, tensors), { name: 'RangeError', message: /4\.3 GB of tensors do not fit/ });
  assert.deepEqual(await readdir(folder), ['best.safetensors']);
});

test('the form and the tests of an export are what their schemas say', async (t) => {
  const { bytes } = await exportWith(await writeRandomCheckpoint(await temporaryFolder(t), network));
  const { metadataProps = [] } = decodeOnnx(bytes);
  const said = (name: string) => JSON.parse(metadataProps.find(({ key }) => key === name)?.value ?? '') as unknown;
  const form = exportFormSchema.parse(said('export'));
  assert.deepEqual([form.network, form.trainedOn.folder, form.crops], ['ConvNet1', 'nowhere', 5]);
  const tests = exportTestsSchema.parse(said('tests'));
  assert.ok(tests.some(({ width, height }) => width === 1 && height === 1));
  assert.ok(
    tests.some(({ width, height }) => Math.min(width, height) > 36),
    'one is made smaller',
  );
  assert.ok(new Set(tests.map(({ probabilities }) => probabilities.join())).size > 2);
});
