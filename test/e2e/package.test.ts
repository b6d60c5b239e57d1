import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { openPromise } from 'yauzl';
import manifest from '../../package.json' with { type: 'json' };
import external from '../../scripts/external.json' with { type: 'json' };
import { presentVsix } from '../../scripts/host/vsix.ts';

/** The names of the files in the package, and what its licences say. */
async function readPackage(): Promise<{ names: readonly string[]; licences: string }> {
  const zip = await openPromise(presentVsix(), { lazyEntries: true });
  const names: string[] = [];
  let licences = '';
  for await (const entry of zip.eachEntry()) {
    names.push(entry.fileName);
    if (entry.fileName === 'extension/dist/licences.txt') licences = await text(await zip.openReadStreamPromise(entry));
  }
  return { names, licences };
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

test('the JPEG decoder’s origin is acknowledged as its licence asks', async () => {
  const { licences } = await readPackage();
  const words = licences.replace(/\s+/g, ' ');
  assert.match(words, /This software is based in part on the work of the Independent JPEG Group\./);
});
