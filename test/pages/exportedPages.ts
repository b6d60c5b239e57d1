import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Page } from 'playwright-core';
import { folderWithOnnxruntimeWeb } from '../../scripts/host/onnxruntimeWeb.ts';
import type { CheckpointMetadata } from '../../src/protocol/checkpointMetadata.ts';
import { presetConstants } from '../../src/protocol/preprocessing.ts';
import { exportClassifier, type ExportOptions } from '../../src/ml/library/exporting.ts';
import { predicted, tinyTransformer, writePictures } from '../unit/export/exportedPictures.ts';
import { imageSize, writeRandomCheckpoint } from '../unit/inference/checkpointFixture.ts';

const origin = 'http://model.test';
const root = join(import.meta.dirname, '../..');

const named = (name: string): CheckpointMetadata['network'] => ({ kind: 'architecture', name });

type Exported = { network: CheckpointMetadata['network']; options: ExportOptions };
/** Exports whose pages are opened: a plain convolutional network, one of depthwise convolutions, and a transformer. */
export const exportsWithPages: Readonly<Record<string, Exported>> = {
  'TensorFlow.js, ConvNet1': { network: named('ConvNet1'), options: { format: 'tfjs', tests: 4 } },
  'TensorFlow.js, mobilenet_v3_small': { network: named('mobilenet_v3_small'), options: { format: 'tfjs', tests: 4 } },
  'TensorFlow.js, transformer': { network: tinyTransformer, options: { format: 'tfjs', tests: 4 } },
  'onnxruntime-web, ConvNet1': { network: named('ConvNet1'), options: { format: 'onnx', scripts: true } },
  'onnxruntime-web, transformer of planes': {
    network: tinyTransformer,
    options: { format: 'onnx', scripts: true, input: 'nchw' },
  },
};

type OpenedExport = {
  pictures: readonly string[];
  /** A file that is called a picture and is none. */
  noPicture: string;
  /** What `predict` says of each picture. */
  expected: readonly (readonly number[])[];
  /** What the page says of each. */
  found: () => Promise<readonly (readonly number[])[]>;
  remove: () => Promise<void>;
};

/** Exports a network with random weights, and opens the page beside it. */
export async function openExport(page: Page, { network, options }: Exported): Promise<OpenedExport> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-page-'));
  const preprocessing = { ...presetConstants('imagenet'), resize: imageSize + 5, crop: imageSize };
  const calibration = { temperature: { 1: 2, 5: 0.5 }, images: 9 };
  const checkpoint = await writeRandomCheckpoint(folder, network, { preprocessing, calibration });
  const isFolder = options.format === 'tfjs';
  await exportClassifier(checkpoint, join(folder, isFolder ? 'model' : 'model.onnx'), options);
  const pictures = (await writePictures(folder, [[3, 70], [101, 64]])).map(({ file }) => file); // prettier-ignore
  const noPicture = join(folder, 'none.png');
  await writeFile(noPicture, 'no picture');
  const expected = await predicted(checkpoint, pictures, 5, false);
  const installed = isFolder ? root : await folderWithOnnxruntimeWeb();
  await page.route(`${origin}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    // Packages lie where `npm install` puts them.
    const [module] = /\/node_modules\/.*$/u.exec(path) ?? [];
    const file = module === undefined ? join(folder, path) : join(installed, module);
    await route.fulfill({ contentType: typeOf(file), body: await readFile(file) });
  });
  await page.goto(`${origin}/${isFolder ? 'model/index.html' : 'model.classify.html'}`);
  await page.getByText('Choose images.').waitFor();
  const names = JSON.stringify(pictures.map((file) => `/${basename(file)}`));
  return {
    pictures,
    noPicture,
    expected: expected.map(({ probabilities }) => probabilities),
    found: () =>
      page.evaluate<number[][]>(`(async () => {
        const found = [];
        for (const name of ${names}) found.push((await classify(await (await fetch(name)).blob())).probabilities);
        return found;
      })()`),
    remove: () => rm(folder, { recursive: true }),
  };
}

function typeOf(file: string): string {
  const types: Record<string, string> = {
    html: 'text/html',
    js: 'text/javascript',
    mjs: 'text/javascript',
    json: 'application/json',
    wasm: 'application/wasm',
  };
  return types[file.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
}
