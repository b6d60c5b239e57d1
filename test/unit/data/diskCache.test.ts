import assert from 'node:assert/strict';
import {
  chown,
  copyFile,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import {
  cacheEntry,
  digestOf,
  entryBytes,
  pruneDiskCache,
  readCacheEntry,
  writeCacheEntry,
} from '../../../src/ml/data/diskCache.ts';
import { identityOf } from '../../../src/ml/data/fileIdentity.ts';
import { temporaryFolder } from './temporaryImages.ts';

const image = {
  width: 3,
  height: 2,
  source: { width: 30, height: 20 },
  data: Uint8Array.from({ length: 18 }, (_, i) => i),
};
const size = entryBytes(image);

function entryOf(root: string, file: string, identity = 'as it is', side = 255) {
  return cacheEntry(root, file, identity, { side });
}

/** Writes the entry of a file and returns it. */
async function keep(root: string, file: string) {
  const entry = entryOf(root, file);
  await writeCacheEntry(entry, image, digestOf(image));
  return entry;
}

function pixelsOf(entry: ReturnType<typeof entryOf>) {
  const kept = readCacheEntry(entry);
  return kept && { ...kept.image, data: Uint8Array.from(kept.image.data) };
}

test('an entry is read as it was written, and half an entry is none', async (t) => {
  const root = await temporaryFolder(t);
  const entry = entryOf(root, 'a.png');
  assert.equal(readCacheEntry(entry), undefined);
  await keep(root, 'a.png');
  assert.deepEqual(pixelsOf(entry), image);
  await truncate(entry.path, size - 1);
  assert.equal(readCacheEntry(entry), undefined);
  await truncate(entry.path, 20);
  assert.equal(readCacheEntry(entry), undefined);
});

test('an entry of which any byte was changed is none', async (t) => {
  const root = await temporaryFolder(t);
  const entry = await keep(root, 'a.png');
  const whole = await readFile(entry.path);
  for (let at = 0; at < whole.length; at++) {
    const tampered = Buffer.from(whole);
    tampered[at] = (tampered[at] ?? 0) ^ 1;
    await writeFile(entry.path, tampered);
    assert.equal(readCacheEntry(entry), undefined, `byte ${at}`);
  }
});

test(
  'an entry in the place of another one, or behind a link, is none',
  { skip: process.platform === 'win32' },
  async (t) => {
    const root = await temporaryFolder(t);
    const [one, other] = [await keep(root, 'a.png'), await keep(root, 'b.png')];
    await copyFile(other.path, one.path);
    assert.equal(readCacheEntry(one), undefined);
    await keep(root, 'a.png');
    await rename(one.path, join(root, 'elsewhere'));
    await symlink(join(root, 'elsewhere'), one.path);
    assert.equal(readCacheEntry(one), undefined);
  },
);

test('nobody but the user may read an entry', { skip: process.platform === 'win32' }, async (t) => {
  const { path } = await keep(await temporaryFolder(t), 'a.png');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test(
  'an entry of another user is none',
  { skip: process.getuid?.() !== 0 && 'only root can give files away' },
  async (t) => {
    const entry = await keep(await temporaryFolder(t), 'a.png');
    await chown(entry.path, 65534, 65534);
    assert.equal(readCacheEntry(entry), undefined);
  },
);

test('a file whose pixels may be others has another entry', async (t) => {
  const root = await temporaryFolder(t);
  const file = join(root, 'a.png');
  await writeFile(file, 'content');
  const before = await stat(file);
  const entry = () => entryOf(root, file, identityOf(file)).path;
  const first = entry();
  assert.equal(entry(), first);
  assert.notEqual(entryOf(root, file, identityOf(file), 256).path, first);
  assert.notEqual(entryOf(root, `${file}2`, identityOf(file)).path, first);
  // Replaced in place, its size and time kept.
  await writeFile(file, 'CONTENT');
  await utimes(file, before.atime, before.mtime);
  const second = entry();
  assert.notEqual(second, first);
  // Another file under its name, size and time kept.
  await writeFile(join(root, 'b.png'), 'Content');
  await utimes(join(root, 'b.png'), before.atime, before.mtime);
  await rename(join(root, 'b.png'), file);
  assert.ok(![first, second].includes(entry()));
});

test('pruning removes what was not used for longest, and no other files', async (t) => {
  const root = await temporaryFolder(t);
  await writeFile(join(root, 'other.png'), 'x'.repeat(1000));
  const entries: ReturnType<typeof entryOf>[] = [];
  for (let index = 0; index < 4; index++) {
    const entry = await keep(root, `${index}.png`);
    await utimes(entry.path, index, index);
    entries.push(entry);
  }
  // To be read is to be used.
  assert.ok(readCacheEntry(entryOf(root, '0.png')));
  assert.equal(await pruneDiskCache(root, 2 * size), 2 * size);
  assert.deepEqual(entries.map((entry) => readCacheEntry(entry) !== undefined), [true, false, false, true]); // prettier-ignore
  assert.equal(await pruneDiskCache(root, 0, Date.now() - 60_000), 2 * size, 'what a run uses stays');
  assert.equal(await pruneDiskCache(root, 0), 0);
  assert.ok((await readdir(root)).includes('other.png'));
});

test('pruning removes what a dead process left half written, and not what one is writing', async (t) => {
  const root = await temporaryFolder(t);
  const { path } = await keep(root, 'a.png');
  const [old, fresh] = [`${path}.12.abc`, `${path}.13.abc`];
  await writeFile(old, 'half');
  await utimes(old, 1, 1);
  await writeFile(fresh, 'half');
  assert.equal(await pruneDiskCache(root, 1000), size + 4);
  assert.deepEqual((await readdir(join(path, '..'))).sort(), [basename(path), basename(fresh)]);
});
