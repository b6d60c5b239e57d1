import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import type { CheckpointMetadata } from '../../../src/protocol/checkpointMetadata.ts';
import { exportTensorflow } from '../../../src/ml/cli/exportFolder.ts';
import { predicted, tinyTransformer, writePictures } from '../../unit/export/exportedPictures.ts';
import { imageSize, writeRandomCheckpoint } from '../../unit/inference/checkpointFixture.ts';

export const tensorflowOrigin = 'http://model.test';

const named = (name: string): CheckpointMetadata['network'] => ({ kind: 'architecture', name });
/** A plain convolutional network, one of depthwise convolutions, and a transformer. */
export const exportedNetworks = { ConvNet1: named('ConvNet1'), mobilenet_v3_small: named('mobilenet_v3_small'), transformer: tinyTransformer }; // prettier-ignore

interface ExportedFolder {
  readonly folder: string;
  readonly pictures: readonly string[];
  /** What `predict` says of each picture. */
  readonly expected: readonly (readonly number[])[];
  remove(): Promise<void>;
}

/** A network with random weights, exported for TensorFlow.js, and pictures of odd sizes. */
export async function exportForBrowser(network: CheckpointMetadata['network']): Promise<ExportedFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-tfjs-'));
  const preprocessing = { ...presetConstants('imagenet'), resize: imageSize + 5, crop: imageSize };
  const calibration = { temperature: { 1: 2, 5: 0.5 }, images: 9 };
  const checkpoint = await writeRandomCheckpoint(folder, network, { preprocessing, calibration });
  const nothing = () => undefined;
  const output = { json: false, object: nothing, say: nothing, print: nothing, drawing: nothing };
  await exportTensorflow(checkpoint, join(folder, 'model'), 5, output);
  const pictures = await writePictures(folder, [[3, 70], [101, 64]]); // prettier-ignore
  const files = pictures.map(({ file }) => file);
  const expected = (await predicted(checkpoint, files, 5, false)).map(({ probabilities }) => probabilities);
  return { folder, pictures: files, expected, remove: () => rm(folder, { recursive: true }) };
}

/** Serves the exported folder, the pictures above it and the library, where `npm install` puts it, to a page. */
export async function serveExport(page: Page, folder: string): Promise<void> {
  const library = join(import.meta.dirname, '../../../node_modules/@tensorflow/tfjs/dist/tf.min.js');
  const types: Record<string, string> = { html: 'text/html', js: 'text/javascript', json: 'application/json' };
  await page.route(`${tensorflowOrigin}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    const file = path.includes('node_modules') ? library : join(folder, path.endsWith('.png') ? '' : 'model', path);
    const contentType = types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
    await route.fulfill({ contentType, body: await readFile(file) });
  });
}
