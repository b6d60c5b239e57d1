import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listNetworks } from '../../../src/ml/networks/registry.ts';

/** What test/fixtures/torchvision_weights.py wrote. */
interface Published {
  readonly name: string;
  readonly file: string;
  readonly top1: number | null;
  readonly megabytes: number;
  readonly resize: number;
  readonly crop: number;
  readonly interpolation: string;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly licence: string | null;
}

const file = join(import.meta.dirname, '../../fixtures/torchvision_weights.json');
const { networks: published } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly networks: Readonly<Record<string, readonly Published[]>>;
};
const torchvision = listNetworks().filter(({ name }) => Object.hasOwn(published, name));

/** Images that the network itself moves from ImageNet's mean and deviation to these: `transform_input`. */
const ported = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const transformsInput = new Set(['googlenet', 'inception_v3']);

test('a network of torchvision has every set of weights that torchvision publishes, with its file, accuracy and pixels', () => {
  for (const { name, weights } of torchvision) {
    // A set without an accuracy has no classifier.
    const expected = (published[name] ?? []).filter(({ top1 }) => top1 !== null);
    assert.deepEqual(
      weights.map(({ name: set, top1, megabytes, preprocessing, licence }) => ({
        ...{ name: set, top1, megabytes },
        ...{ resize: preprocessing.resize, crop: preprocessing.crop },
        interpolation: preprocessing.interpolation ?? 'bilinear',
        ...{ mean: preprocessing.mean, std: preprocessing.std },
        isOfSwag: licence === 'CC-BY-NC-4.0',
      })),
      expected.map(({ name: set, top1, megabytes, resize, crop, interpolation, mean, std, licence }) => ({
        ...{ name: set, top1, megabytes, resize, crop, interpolation, mean, std },
        ...(transformsInput.has(name) ? ported : {}),
        isOfSwag: licence?.includes('SWAG') ?? false,
      })),
      name,
    );
    for (const [index, { sources }] of weights.entries()) {
      const ofTorch = sources.filter(({ url }) => url.startsWith('https://download.pytorch.org/'));
      assert.deepEqual(
        ofTorch.map((source) => source.file),
        [expected[index]?.file],
        name,
      );
      assert.ok(ofTorch[0]?.file.endsWith(`-${ofTorch[0].sha256}.pth`), name);
    }
  }
});

test('images for weights of one’s own are prepared with ImageNet’s mean and deviation where only the published want others', () => {
  for (const { name, preprocessing } of torchvision.filter((network) => transformsInput.has(network.name))) {
    const [set] = published[name] ?? [];
    const { resize, crop, mean, std } = preprocessing;
    assert.deepEqual(
      { resize, crop, mean, std },
      { resize: set?.resize, crop: set?.crop, mean: set?.mean, std: set?.std },
    );
  }
});
