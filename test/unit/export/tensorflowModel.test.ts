import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { CheckpointMetadata } from '../../../src/protocol/checkpointMetadata.ts';
import { type Fit, type Interpolation, presetConstants } from '../../../src/protocol/preprocessing.ts';
import { download, upload } from '../../../src/ml/engine/tensorflow/deviceTensor.ts';
import { interpret } from '../../../src/ml/engine/tensorflow/interpret.ts';
import { activate, loadPlain } from '../../../src/ml/engine/tensorflow/runtime.ts';
import { tensorflowScript } from '../../../src/ml/export/scripts/tensorflowScript.ts';
import { graphJson, weightBytes } from '../../../src/ml/export/tensorflow/graphJson.ts';
import { recordedBatch } from '../../../src/ml/export/tensorflow/graphParts.ts';
import { recordGraph } from '../../../src/ml/export/tensorflow/graphRecorder.ts';
import { tensorflowModel } from '../../../src/ml/export/tensorflow/tensorflowModel.ts';
import { readUsableCheckpoint } from '../../../src/ml/inference/usableCheckpoint.ts';
import { typeOf } from '../../../src/ml/graph/graph.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { operators } from '../../../src/ml/operators/index.ts';
import type { DeviceTensor, TensorFlow } from '../../../src/ml/operators/tensorflow.ts';
import { runDouble } from '../engine/doubleForward.ts';
import { assertClose, doubles } from '../engine/graphValues.ts';
import { seed } from '../engine/seed.ts';
import { imageSize, writeRandomCheckpoint } from '../inference/checkpointFixture.ts';
import { forwardNetwork, sampleValues } from '../operators/sampleNetwork.ts';
import { type Picture, predicted, tinyTransformer, writePictures } from './exportedPictures.ts';

const onCpu = { device: 'cpu', backend: 'cpu' } as const;

for (const record of operators) {
  if (!record.tensorflow) continue;
  for (const [title, sample] of Object.entries(record.samples ?? {})) {
    test(`${record.name} of ${title} in a graph model computes what its reference says`, async () => {
      const tf = await loadPlain();
      const graph = forwardNetwork(record, sample);
      const values = sampleValues(graph, sample, createRandom(seed, record.name, title));
      await activate({ tf, ...onCpu });
      const weights = [...values].map(([name, tensor]) => {
        const value = upload(tf, tensor, typeOf(graph, name));
        return { name, dtype: 'float32' as const, shape: value.shape, data: Float32Array.from(value.dataSync()) };
      });
      const [output = ''] = graph.outputs;
      const recording = await recordGraph(
        tf,
        { name: 'images', shape: [recordedBatch], dtype: 'int32' },
        'y',
        (_, constant) => {
          const given = new Map(weights.map((weight) => [weight.name, constant(weight)]));
          const y = interpret(tf, graph, given, [output], false).get(output);
          assert.ok(y);
          return y;
        },
      );
      const model = tf.loadGraphModelSync(
        tf.io.fromMemorySync({
          format: 'graph-model',
          ...graphJson(recording),
          weightData: Uint8Array.from(weightBytes(recording)).buffer,
        }),
      );
      const y = model.execute({ images: tf.zeros([1], 'int32') }, 'y') as DeviceTensor;
      const found = download(tf, y, typeOf(graph, output));
      model.dispose();
      assert.deepEqual(found.shape, typeOf(graph, output).shape);
      assertClose(Array.from(found.data), runDouble(graph, doubles(values)).get(output) ?? [], 1e-5, output);
    });
  }
}

const calibration = {
  temperature: { 1: 2.5, 5: 3 },
  images: 9,
  rejection: { targetError: 0.1, threshold: { 1: 0.4, 5: 0.36 } },
};
const named = (name: string): CheckpointMetadata['network'] => ({ kind: 'architecture', name });

/** What an export is tried with, and whether a temperature and a threshold were fitted. */
const exports: readonly (readonly [CheckpointMetadata['network'], Fit, Interpolation, 1 | 5, boolean])[] = [
  [named('ConvNet1'), 'crop', 'bilinear', 5, true],
  [named('mobilenet_v3_small'), 'pad', 'lanczos', 5, false],
  [tinyTransformer, 'squash', 'bicubic', 1, true],
  [tinyTransformer, 'crop', 'bicubic', 5, false],
];

/** What the script beside a model gives. */
interface Script {
  readonly classify: (
    tf: TensorFlow,
    model: ReturnType<TensorFlow['loadGraphModelSync']>,
    image: Rgba,
  ) => { probabilities: number[]; rejected: boolean };
}

interface Rgba {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

function rgba({ data, width, height }: Picture): Rgba {
  const four = Uint8ClampedArray.from({ length: 4 * width * height }, (_, at) =>
    at % 4 === 3 ? 255 : (data[3 * Math.floor(at / 4) + (at % 4)] ?? 0),
  );
  return { data: four, width, height };
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

for (const [network, fit, interpolation, crops, isCalibrated] of exports) {
  const name = 'name' in network ? network.name : '';
  test(`a graph model and its script give predict's probabilities (${name}, ${fit}, ${interpolation}, ${crops})`, async (t) => {
    const folder = await temporaryFolder(t);
    const resize = fit === 'squash' ? imageSize : imageSize + (fit === 'pad' ? 1 : 5);
    const preprocessing = { ...presetConstants('imagenet'), resize, crop: imageSize, fit, interpolation };
    const about = { preprocessing, ...(isCalibrated ? { calibration } : {}) };
    const checkpoint = await writeRandomCheckpoint(folder, network, about);
    const pictures = await writePictures(folder, [[1, 1], [3, 70], [37, 32], [101, 64], [64, 101]]); // prettier-ignore
    const files = pictures.map(({ file }) => file);

    const { json, shards } = await tensorflowModel(checkpoint, await readUsableCheckpoint(checkpoint), crops);
    const tf = await loadPlain();
    await activate({ tf, ...onCpu });
    const { weightsManifest, ...artifacts } = JSON.parse(JSON.stringify(json)) as Manifest;
    const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
    const weightData = Uint8Array.from(Buffer.concat([...shards.values()])).buffer;
    const model = tf.loadGraphModelSync(tf.io.fromMemorySync({ ...artifacts, weightSpecs, weightData }));
    const url = `data:text/javascript,${encodeURIComponent(tensorflowScript)}`;
    const { classify } = (await import(url)) as Script;
    const expected = await predicted(checkpoint, files, crops, isCalibrated);
    for (const [at, picture] of pictures.entries()) {
      const { probabilities, rejected } = classify(tf, model, rgba(picture));
      assertClose(probabilities, expected[at]?.probabilities ?? [], 1e-5, picture.file);
      assert.equal(rejected, expected[at]?.rejected);
    }
    model.dispose();
  });
}

interface Manifest {
  readonly weightsManifest: readonly { readonly weights: { name: string; shape: number[]; dtype: 'float32' }[] }[];
}
