import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { CheckpointMetadata } from '../../../src/protocol/checkpointMetadata.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import { exportClassifier } from '../../../src/ml/library/exporting.ts';
import { timmModel, timmName } from '../../../src/ml/export/timmModel.ts';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { timmPixels, timmPreprocessing } from '../../../src/ml/networks/timm.ts';
import { readSafetensors } from '../../../src/ml/weights/safetensors.ts';
import { imageSize, writeRandomCheckpoint } from '../inference/checkpointFixture.ts';
import { labels } from '../inference/fakeClassifier.ts';
import { tinyTransformer } from './exportedPictures.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');
const linear = { hidden: [], dropout: 0, classes: labels.length };
const smallest: CheckpointMetadata['network'] = {
  kind: 'architecture',
  name: 'timm/mobilenetv4_conv_small.e2400_r224_in1k',
};

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('tensors have timm’s names and shapes', async () => {
  const { networks } = JSON.parse(await readFile(join(fixtures, 'timm_tensors.json'), 'utf8')) as {
    networks: Record<string, string>;
  };
  assert.ok(Object.keys(networks).length >= 10);
  for (const [name, expected] of Object.entries(networks)) {
    const network = namedNetwork(name);
    assert.ok(network.timm, name);
    const shapes = stateShapes(network.graph(linear, { batchSize: 1, size: 224 }));
    const lines = [...shapes].map(([tensor, shape]) => `${timmName(network, tensor)} [${shape.join(', ')}]`).sort();
    assert.equal(createHash('sha256').update(lines.join('\n')).digest('hex'), expected, name);
  }
});

test('every size that an image is resized to is the one that timm finds', () => {
  for (let crop = 1; crop <= 640; crop += 31) {
    for (let resize = crop; resize <= 2 * crop + 40; resize++) {
      const preprocessing = { ...presetConstants('imagenet'), interpolation: 'bicubic' as const, resize, crop };
      // As transforms_imagenet_eval of timm computes it.
      const { input_size: [, size], crop_pct: share } = timmPixels(preprocessing); // prettier-ignore
      assert.equal(Math.floor(size / share), resize, `${crop} of ${resize}`);
      assert.deepEqual(timmPreprocessing({ pretrained_cfg: timmPixels(preprocessing) }), preprocessing);
    }
  }
});

test('pixels of other levels are the same after timm’s normalization', () => {
  const preprocessing = { ...presetConstants('tf'), resize: 256, crop: 224 };
  const { mean, std } = timmPixels(preprocessing);
  for (const pixel of [0, 1, 127, 255]) {
    const expected = (pixel * preprocessing.scale - 1) / 1;
    assert.ok(Math.abs((pixel / 255 - mean[0]) / std[0] - expected) < 1e-12);
  }
});

test('export for timm writes weights, configuration and a card of what is known', async (t) => {
  const folder = await temporaryFolder(t);
  const checkpoint = await writeRandomCheckpoint(folder, smallest, {
    head: linear,
    licence: 'apache-2.0',
    metrics: { validAccuracy: 0.875 },
    calibration: { temperature: { 1: 2.5, 5: 3 }, images: 9 },
    training: { run: 'first *run*', method: 'head', step: 12, epoch: 1, data: '/home/somebody/flowers' },
  });
  const out = join(folder, 'model');
  const said: string[] = [];
  const written = await exportClassifier(checkpoint, out, { format: 'timm', log: (line) => said.push(line) });
  assert.deepEqual([written.architecture, written.files.length], ['mobilenetv4_conv_small', 3]);
  assert.match(said.join(), /under the license apache-2\.0/);
  assert.deepEqual((await readdir(out)).sort(), ['README.md', 'config.json', 'model.safetensors']);
  const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as Record<string, unknown>;
  assert.equal(config['architecture'], 'mobilenetv4_conv_small');
  assert.equal(config['num_classes'], 3);
  assert.deepEqual(config['label_names'], ['red', 'green', 'blue']);
  const { state } = await readSafetensors(join(out, 'model.safetensors'), (forms) => forms.keys());
  assert.ok(state.has('classifier.weight') && !state.has('classifier.output.weight'));
  const card = await readFile(join(out, 'README.md'), 'utf8');
  assert.match(card, /^---\npipeline_tag: image-classification\nlibrary_name: timm\nlicense: apache-2\.0\n/);
  assert.match(card, /\n# first \\\*run\\\*\n/);
  assert.match(card, /It has not been tested on images that were kept apart\.[^]*87\.5/);
  assert.match(card, /logits \/ 2\.50000/);
  assert.ok(!card.includes('somebody'));
  await assert.rejects(
    exportClassifier(checkpoint, out, { format: 'timm' }),
    /is not empty; name a new folder for the model/,
  );
});

const refused: readonly (readonly [string, RegExp, CheckpointMetadata['network'], Partial<CheckpointMetadata>])[] = [
  ['a hidden layer', /its head has a hidden layer/, tinyTransformer, {}],
  ['a network that timm has not', /timm has no network of the same layers and names as ConvNet1: export it as \*\.onnx/, { kind: 'architecture', name: 'ConvNet1' }, { head: linear }], // prettier-ignore
  ['blue ahead of red', /blue ahead of red/, tinyTransformer, { head: linear, preprocessing: { ...presetConstants('caffe-bgr'), resize: 36, crop: imageSize } }], // prettier-ignore
  ['padded images', /padded with black/, tinyTransformer, { head: linear, preprocessing: { ...presetConstants('imagenet'), resize: imageSize, crop: imageSize, fit: 'pad' } }], // prettier-ignore
];

for (const [what, message, network, about] of refused) {
  test(`what timm does not have is refused: ${what}`, async (t) => {
    const checkpoint = await writeRandomCheckpoint(await temporaryFolder(t), network, about);
    await assert.rejects(timmModel(checkpoint), { name: 'UserError', message });
  });
}
