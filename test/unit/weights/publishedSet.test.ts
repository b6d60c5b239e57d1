import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { imagenetPixels, type PretrainedWeights } from '../../../src/ml/networks/weightSets.ts';
import { publishedSet } from '../../../src/ml/weights/publishedSet.ts';

const kibibyte = 1024;

function set(name: string, content: Uint8Array): PretrainedWeights {
  const sha256 = createHash('sha256').update(content).digest('hex').slice(0, 8);
  return {
    ...{ name, network: 'efficientnet_b1', top1: 78, megabytes: content.length / 2 ** 20 },
    preprocessing: imagenetPixels(),
    sources: [{ file: `efficientnet_b1-${sha256}.pth`, url: 'https://example.invalid/b1.pth', sha256 }],
  };
}

test('a file is known by its content as one of the published sets, whatever it is called', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-published-'));
  t.after(() => rm(folder, { recursive: true }));
  const [first, second, other] = [1, 2, 3].map((value) => new Uint8Array(kibibyte).fill(value)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const network = { weights: [set('IMAGENET1K_V1', first), set('IMAGENET1K_V2', second)] };
  const [renamed, own] = [join(folder, 'renamed.pth'), join(folder, 'own.pth')];
  await writeFile(renamed, second);
  await writeFile(own, other);
  assert.equal((await publishedSet(network, renamed))?.name, 'IMAGENET1K_V2');
  assert.equal(await publishedSet(network, own), undefined);
  assert.equal(await publishedSet(network, join(folder, 'missing.pth')), undefined);
});

test('a set is known by its name, and the first is meant where nothing is named', async () => {
  const network = { weights: [set('IMAGENET1K_V1', Uint8Array.of(1)), set('IMAGENET1K_V2', Uint8Array.of(2))] };
  assert.equal((await publishedSet(network, 'IMAGENET1K_V2'))?.name, 'IMAGENET1K_V2');
  assert.equal((await publishedSet(network, undefined))?.name, 'IMAGENET1K_V1');
  assert.equal(await publishedSet(network, 'IMAGENET1K_SWAG'), undefined);
});
