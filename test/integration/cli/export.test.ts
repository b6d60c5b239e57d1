import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { folderWithOnnxruntimeWeb } from '../../../scripts/host/onnxruntimeWeb.ts';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { loadClassifier } from '../../../src/ml/inference/loadClassifier.ts';
import { predictImages } from '../../../src/ml/inference/predictImages.ts';
import type { Evaluation } from '../../../src/protocol/evaluation.ts';
import { noiseImage } from '../../unit/data/temporaryImages.ts';
import { exportWith } from '../../unit/export/exports.ts';
import { writeRandomCheckpoint } from '../../unit/inference/checkpointFixture.ts';
import { labels } from '../../unit/inference/fakeClassifier.ts';
import { fivecrop } from './runCommand.ts';

const run = promisify(execFile);

/** Runs a script, and says how it ends. */
async function exitOf(script: string, args: readonly string[]) {
  const ended = await run(process.execPath, [script, ...args]).catch((error: unknown) => error);
  const { code = 0, stdout, stderr } = ended as { code?: number; stdout: string; stderr: string };
  return { code, stdout, stderr };
}

let folder = '';
before(async () => (folder = await mkdtemp(join(tmpdir(), 'fivecrop-export-'))));
after(() => rm(folder, { recursive: true }));

test('export writes what its script classifies with and verify passes, which fails with 1 in another runtime', async () => {
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const out = join(folder, 'out.onnx');
  const exported = await fivecrop(['export', checkpoint, out, '--tests', '4', '--scripts']);
  assert.deepEqual([exported.code, exported.stdout], [0, ''], exported.stderr);
  assert.match(exported.stderr, /Wrote .*out\.onnx, 0\.\d MB\.\n[^]*Verified by 4 test images, 0 of them of the data/);

  // ONNX Runtime's interface, by something that answers the same to everything.
  const other = join(folder, 'other.mjs');
  await writeFile(
    other,
    `export class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } }
     const run = async () => ({ probabilities: new Tensor('float32', Float32Array.of(1, 0, 0), [1, 3]) });
     export const InferenceSession = { create: async () => ({ run, release: async () => undefined }) };`,
  );
  const image = join(folder, 'image.png');
  const background = { r: 200, g: 90, b: 20 };
  await sharp({ create: { width: 70, height: 50, channels: 3, background } })
    .png()
    .toFile(image);
  // sharp reads none.
  const bitmap = join(folder, 'image.bmp');
  await writeFile(bitmap, 'BM');
  // The script takes its packages from the folder that it lies in.
  await symlink(join(import.meta.dirname, '../../../node_modules'), join(folder, 'node_modules'), 'junction');
  const web = await folderWithOnnxruntimeWeb();
  const [elsewhere, classified, inWeb] = await Promise.all([
    fivecrop(['verify', out, '--runtime', other]),
    exitOf(join(folder, 'out.classify.mjs'), [bitmap, image]),
    fivecrop(['verify', out, '--runtime', 'onnxruntime-web'], { cwd: web }),
  ]);
  assert.match(
    inWeb.stdout,
    /^Verified by 4 test images, 0 of them of the data: .* of 0\.0001 allowed\.\n$/,
    inWeb.stderr,
  );
  assert.equal(elsewhere.code, 1);
  assert.match(
    elsewhere.stdout,
    /^Test image 1: class \d has probability [\d.]+, not [\d.]+, and 0\.0001 is allowed\.\n$/,
  );
  const classifier = await loadClassifier(
    { kind: 'checkpoint', file: checkpoint },
    { engine: onnxEngine, device: 'cpu' },
  );
  const expected: { name: string; probability: number }[] = [];
  for await (const prediction of predictImages(classifier, [image], { cropCount: 5, topK: 5 })) {
    if ('mean' in prediction) expected.push(...prediction.mean);
  }
  await classifier.dispose();
  assert.equal(expected.length, 3);
  const [unread = '', read = ''] = classified.stdout.split('\n');
  assert.equal(classified.code, 1, classified.stderr);
  assert.deepEqual(JSON.parse(unread), { image: bitmap, error: 'Input file contains unsupported image format: save it as JPEG or PNG' }); // prettier-ignore
  const { classes } = JSON.parse(read) as { classes: typeof expected };
  assert.deepEqual(classes.map(({ name }) => name), expected.map(({ name }) => name)); // prettier-ignore
  classes.forEach(({ probability }, at) =>
    assert.ok(Math.abs(probability - (expected[at]?.probability ?? NaN)) < 1e-6),
  );
});

test('test tells of an exported file what it tells of the checkpoint, and keeps the result beside the file', async () => {
  const checkpoint = await writeRandomCheckpoint(await mkdtemp(join(folder, 'tested-')), { kind: 'architecture', name: 'ConvNet1' }); // prettier-ignore
  const exported = join(dirname(checkpoint), 'exported.onnx');
  await writeFile(exported, (await exportWith(checkpoint, { tests: { count: 0, ofData: false } })).bytes);
  const data = join(folder, 'colours');
  for (const { folder: name, index } of labels) {
    await mkdir(join(data, name), { recursive: true });
    for (const seed of [1, 2, 3]) await writeFile(join(data, name, `${seed}.png`), await noiseImage(10 * index + seed, 48, 40)); // prettier-ignore
  }
  const [ofCheckpoint, ofExport] = await Promise.all(
    [checkpoint, exported].map(async (file) => {
      const { code, stdout, stderr } = await fivecrop(['test', data, '--checkpoint', file, '--crops', '5', '--json']);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout) as Evaluation;
    }),
  );
  assert.ok(ofCheckpoint && ofExport);
  assert.equal(ofExport.images, 9);
  assert.deepEqual(ofExport.perClass, ofCheckpoint.perClass);
  assert.ok(Math.abs(ofExport.loss - ofCheckpoint.loss) < 1e-5);
  assert.deepEqual(
    ofExport.results.map(({ image, predicted }) => [image, predicted]),
    ofCheckpoint.results.map(({ image, predicted }) => [image, predicted]),
  );
  const kept = (await readdir(dirname(exported))).filter((name) => name.endsWith('.evaluation.json'));
  assert.ok(
    kept.some((name) => name.startsWith('exported')),
    kept.join(' '),
  );
});

test('export for TensorFlow.js writes a folder that verify passes, and refuses once a byte of it has changed', async () => {
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const out = join(folder, 'model');
  const exported = await fivecrop(['export', checkpoint, out, '--format', 'tfjs', '--tests', '2']);
  assert.equal(exported.code, 0, exported.stderr);
  assert.match(exported.stderr, /fivecrop verify .*model runs its 2 test images\./);
  const verified = await fivecrop(['verify', out]);
  assert.equal(verified.code, 0, verified.stderr);
  assert.match(verified.stdout, /^Verified by 2 test images, 0 of them of the data: .* of 0\.001 allowed\.\n$/);
  await appendFile(join(out, 'classify.js'), ' ');
  const [changed, wrong, flag, synthetic] = await Promise.all([
    fivecrop(['verify', out]),
    fivecrop(['verify', out, '--runtime', 'onnxruntime-web']),
    fivecrop(['export', checkpoint, join(folder, 'x.pth'), '--crops', '1']),
    fivecrop(['export', checkpoint, join(folder, 'x.pth'), '--tests', 'synthetic']),
  ]);
  assert.deepEqual([changed.code, wrong.code, flag.code, synthetic.code], [1, 2, 2, 2]);
  assert.match(changed.stderr, /classify\.js is not as it was exported/);
  assert.match(wrong.stderr, /--runtime is for ONNX files/);
  assert.match(flag.stderr, /crops cannot be used with the format pth: leave it out\./);
  assert.match(synthetic.stderr, /There are no test images in the format pth: leave tests out\./);
});
