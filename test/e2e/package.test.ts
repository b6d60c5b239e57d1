import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { openPromise } from 'yauzl';
import manifest from '../../package.json' with { type: 'json' };
import external from '../../scripts/external.json' with { type: 'json' };
import { presentVsix } from '../../scripts/host/vsix.ts';

/** The names of the files in the package, and what its licences say. */
async function readPackage(): Promise<{ names: readonly string[]; licences: string; sbom: string }> {
  const zip = await openPromise(presentVsix(), { lazyEntries: true });
  const names: string[] = [];
  let [licences, sbom] = ['', ''];
  for await (const entry of zip.eachEntry()) {
    names.push(entry.fileName);
    const read = async () => text(await zip.openReadStreamPromise(entry));
    if (entry.fileName === 'extension/dist/licences.txt') licences = await read();
    if (entry.fileName === 'extension/dist/sbom.cdx.json') sbom = await read();
  }
  return { names, licences, sbom };
}

/** A folder with the files of the package whose names match. */
async function unpacked(t: TestContext, wanted: RegExp): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-vsix-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const zip = await openPromise(presentVsix(), { lazyEntries: true });
  for await (const entry of zip.eachEntry()) {
    if (!wanted.test(entry.fileName)) continue;
    await mkdir(dirname(join(folder, entry.fileName)), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(join(folder, entry.fileName)));
  }
  return folder;
}

test('the licences name every package that is bundled, and every one that stands in the package as it is', async () => {
  const { names, licences } = await readPackage();
  const outside = new Set([...external.shipped, ...external.installedByUsers]);
  const bundled = Object.keys(manifest.dependencies).filter((name) => !outside.has(name));
  const standing = names.flatMap((name) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? []);
  for (const name of external.shipped) assert.ok(standing.includes(name), name);
  const titles = new Set(Array.from(licences.matchAll(/^=+\n(\S+) \d.*\n=+$/gm), ([, name]) => name));
  const missing = [...bundled, ...standing].filter((name) => !titles.has(name));
  assert.deepEqual([...new Set(missing)], []);
});

test('the bill of materials is valid CycloneDX and names every package that the licences name', async () => {
  const { licences, sbom } = await readPackage();
  assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(sbom), null);
  const { components } = JSON.parse(sbom) as { components: readonly { 'bom-ref': string }[] };
  const titles = Array.from(
    licences.matchAll(/^=+\n(\S+) (\d[^,\n]*).*\n=+$/gm),
    ([, name, version]) => `${name}@${version}`,
  );
  assert.ok(titles.length > 20);
  assert.deepEqual(components.map((component) => component['bom-ref']).toSorted(), [...new Set(titles)].toSorted());
});

test(
  'libjpeg-turbo’s own library loads from the package, on systems that have one',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const folder = await unpacked(t, /node_modules\/(koffi|@koromix)\/|\.so$/u);
    const require = createRequire(join(folder, 'extension/dist/ml/fivecrop.mjs'));
    const { load } = require('koffi') as typeof import('koffi');
    const library = load(join(folder, `extension/dist/ml/libturbojpeg-linux-${process.arch}.so`));
    const init = library.func('void *tj3Init(int)') as (purpose: number) => unknown;
    assert.ok(init(1));
  },
);

test('the JPEG decoder’s origin is acknowledged as its licence asks', async () => {
  const { licences } = await readPackage();
  const words = licences.replace(/\s+/g, ' ');
  assert.match(words, /This software is based in part on the work of the Independent JPEG Group\./);
});
