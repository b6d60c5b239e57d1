import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { imagenetClasses } from '../../../src/ml/inference/imagenetClasses.ts';

test('ImageNet has 1000 classes, each with its own name, in the order of their identifiers', () => {
  const folders = imagenetClasses.map((label) => label.folder);
  assert.equal(imagenetClasses.length, 1000);
  assert.deepEqual(folders, [...folders].sort());
  assert.equal(new Set(folders).size, 1000);
  assert.equal(new Set(imagenetClasses.map((label) => label.name)).size, 1000);
  assert.ok(imagenetClasses.every((label, index) => label.index === index && /^n\d{8}$/.test(label.folder)));
});

const samples = join(import.meta.dirname, '../../../../shared/data/imagenet-samples');

test(
  'ImageNet’s classes are those that the sample images are named after',
  { skip: !existsSync(samples) && 'needs ../shared' },
  () => {
    const files = readdirSync(samples).filter((file) => file.endsWith('.JPEG'));
    assert.equal(files.length, 50);
    for (const file of files) {
      const [, index = '', folder, name] = /^(\d{4})_(n\d{8})_(.+)\.JPEG$/.exec(file) ?? [];
      const label = imagenetClasses[Number(index)];
      assert.deepEqual([label?.folder, label?.name.replaceAll(' ', '_')], [folder, name]);
    }
  },
);
