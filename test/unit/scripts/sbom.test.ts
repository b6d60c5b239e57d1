import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { addToSbom } from '../../../scripts/sbom.mjs';

const root = join(import.meta.dirname, '../../..');
const bundled = ['node_modules/zod/index.js', 'node_modules/zod/v4/core.js', 'src/ml/cli/main.ts'];
const standing = [
  'node_modules/sharp/lib/index.js',
  'node_modules/@cornerstonejs/codec-libjpeg-turbo-8bit/dist/x.wasm',
];

interface Component {
  readonly name: string;
  readonly components?: readonly Component[];
}

test('the bill of materials is valid CycloneDX, names each package once, and is the same every time', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-sbom-'));
  t.after(() => rm(folder, { recursive: true }));
  const write = async (name: string, steps: readonly (readonly string[])[]) => {
    const file = join(folder, name);
    for (const files of steps) addToSbom(file, root, files);
    return readFile(file, 'utf8');
  };
  const text = await write('a.json', [bundled, standing]);
  assert.equal(await write('b.json', [standing, bundled, standing]), text);
  assert.doesNotMatch(text, /timestamp|serialNumber/);
  assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);
  const { components } = JSON.parse(text) as { components: readonly Component[] };
  assert.deepEqual(components.map(({ name }) => name).toSorted(), [
    '@cornerstonejs/codec-libjpeg-turbo-8bit',
    'sharp',
    'zod',
  ]);
  const decoder = components.find(({ name }) => name.startsWith('@cornerstonejs'));
  assert.deepEqual(
    decoder?.components?.map(({ name }) => name),
    ['libjpeg-turbo'],
  );
});
