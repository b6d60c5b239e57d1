import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { imagenetClasses } from '../../src/ml/inference/imagenetClasses.ts';
import { readClassScores, readFeatureExtractor } from '../../src/ml/onnx/foreign/featuresAndScores.ts';
import { decodeOnnx, encodeOnnx, type OnnxModel } from '../../src/ml/onnx/onnxModel.ts';
import { referenceInput } from './referenceFill.ts';

const data = join(import.meta.dirname, '../../../shared/data');
const skip = !existsSync(data) && 'needs ../shared/data';

const files = [
  {
    file: 'mobilenet_v2_1.0_224.onnx',
    features: 1280,
    classes: 1001,
    imageSize: 224,
    found: 'f0_97',
    pixel: (value: number) => value / 127.5 - 1,
    order: [0, 1, 2],
    top1: 0.886,
  },
  {
    file: 'squeezenet1_1.onnx',
    features: 512,
    classes: 1000,
    imageSize: undefined,
    found: 't60',
    pixel: (value: number, channel: number) => value - ([104, 117, 123][channel] ?? 0),
    order: [2, 1, 0],
    top1: 0.61,
  },
];

const read = (file: string) => new Uint8Array(readFileSync(join(data, 'backbones', file)));

async function run(model: OnnxModel, input: string, output: string, images: Tensor): Promise<Float32Array> {
  const session = await InferenceSession.create(encodeOnnx(model), { logSeverityLevel: 3 });
  const result = (await session.run({ [input]: images }, [output]))[output];
  await session.release();
  return result?.data as Float32Array;
}

function worstDifference(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((worst, value, index) => Math.max(worst, Math.abs(value - (b[index] ?? NaN))), 0);
}

for (const { file, features, imageSize, found } of files) {
  test(`${file}: the features cut out equal the file's own, also where they are not named`, { skip }, async () => {
    const bytes = read(file);
    const shape = [3, 3, 224, 224];
    const images = new Tensor('float32', referenceInput(shape).data, shape);
    const own = await run(decodeOnnx(bytes), 'data', 'features', images);

    const named = readFeatureExtractor(bytes);
    assert.deepEqual([named.featuresOutput, named.features, named.imageSize], ['features', features, imageSize]);
    assert.equal(worstDifference(await run(named.model, named.input, named.output, images), own), 0);

    const model = decodeOnnx(bytes);
    model.graph.output = model.graph.output.filter(({ name }) => name !== 'features');
    const searched = readFeatureExtractor(encodeOnnx(model));
    assert.deepEqual([searched.featuresOutput, searched.features], [found, features]);
    assert.ok(worstDifference(await run(searched.model, searched.input, searched.output, images), own) < 1e-5);
    assert.ok(
      encodeOnnx(searched.model).length < bytes.length - 4 * features * 1000,
      'the classifier’s weights are left out',
    );
  });
}

/** An image resized to a short side of 256, and its centre of 224, as the expected rates were measured. */
async function centreCrop(image: string): Promise<Buffer> {
  const resized = await sharp(image)
    .toColourspace('srgb')
    .removeAlpha()
    .resize(256, 256, { fit: 'outside' })
    .toBuffer();
  const { width, height } = await sharp(resized).metadata();
  const [left, top] = [Math.round((width - 224) / 2), Math.round((height - 224) / 2)];
  return await sharp(resized).extract({ left, top, width: 224, height: 224 }).raw().toBuffer();
}

for (const { file, classes, pixel, order, top1 } of files) {
  test(`${file}: its class scores name ImageNet’s sample images at the rate measured for it`, { skip }, async () => {
    const folder = join(data, 'imagenet-samples');
    const names = readdirSync(folder).filter((name) => name.endsWith('.JPEG'));
    const size = 224 * 224;
    const batch = new Float32Array(names.length * 3 * size);
    for (const [image, name] of names.entries()) {
      const pixels = await centreCrop(join(folder, name));
      for (const [channel, source] of order.entries()) {
        for (let at = 0; at < size; at++) {
          batch[(image * 3 + channel) * size + at] = pixel(pixels[3 * at + source] ?? 0, channel);
        }
      }
    }
    const scores = readClassScores(read(file));
    assert.deepEqual(
      [scores.classes, scores.background, scores.probabilities],
      [classes, classes === imagenetClasses.length + 1, true],
    );
    const images = new Tensor('float32', batch, [names.length, 3, 224, 224]);
    const probabilities = await run(scores.model, scores.input, scores.output, images);
    const right = names.filter((name, image) => {
      const row = probabilities.subarray(image * classes, (image + 1) * classes);
      assert.ok(Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) < 1e-4);
      const label = imagenetClasses[row.indexOf(Math.max(...row)) - (scores.background ? 1 : 0)];
      return name.includes(`_${label?.folder ?? 'background'}_`);
    });
    // Three standard errors of 50 images below the rate of 1000.
    const rate = right.length / names.length;
    const least = top1 - 3 * Math.sqrt((top1 * (1 - top1)) / names.length);
    assert.ok(rate >= least, `${rate} of the sample images are right, not at least ${least.toFixed(2)}`);
  });
}
