import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import { archiveLimits, type ArchiveLimits } from '../../../src/ml/archives/archiveLimits.ts';
import { entryParts } from '../../../src/ml/archives/entryPaths.ts';
import { unpackArchive, type UnpackOptions } from '../../../src/ml/archives/unpackArchive.ts';
import { CancelledError, UserError } from '../../../src/protocol/errors.ts';
import { temporaryFolder } from '../data/temporaryImages.ts';
import { writeZip } from './writeZip.ts';

type Header = TarEntry['header'];

/** A tar of such entries; what has no size is a file that holds its own name. */
function tarOf(...headers: readonly (Partial<Header> & { readonly name: string })[]): Promise<Uint8Array> {
  return packTar(
    headers.map(({ name, type = 'file', ...rest }): TarEntry => {
      const body = type === 'file' ? name : '';
      return { header: { name, type, size: Buffer.byteLength(body), ...rest }, body };
    }),
  );
}

const textOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, Buffer.from(name)]));

/** Unpacks everything, and returns what is in the folder then, by path. */
async function unpack(
  t: TestContext,
  content: Uint8Array,
  { name = 'data', ...options }: Partial<UnpackOptions> & { readonly name?: string } = {},
): Promise<Record<string, string>> {
  const root = await temporaryFolder(t);
  const archive = join(root, name);
  const folder = join(root, 'into', 'folder');
  await mkdir(folder, { recursive: true });
  await writeFile(archive, content);
  try {
    await unpackArchive(archive, folder, { take: (path) => path, ...options });
  } finally {
    assert.deepEqual((await readdir(root)).sort(), [name, 'into'].sort(), 'something lies beside the folder');
    assert.deepEqual(await readdir(join(root, 'into')), ['folder'], 'something lies beside the folder');
  }
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const read = files.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    return [path.slice(folder.length + 1).replaceAll('\\', '/'), await readFile(path, 'utf8')] as const;
  });
  return Object.fromEntries((await Promise.all(read)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const names = ['top/a.jpg', 'top/b/ü 名.jpg', `top/${'long/'.repeat(30)}c.jpg`];
const whole = Object.fromEntries(names.map((name) => [name, name] as const));

test('zip, tar and tar.gz are told by their content and unpack to the same files', async (t) => {
  const tar = await tarOf({ name: 'top/', type: 'directory' }, ...names.map((name) => ({ name })));
  const zip = writeZip(textOf(['top/', ...names]));
  for (const content of [zip, tar, gzipSync(tar)]) assert.deepEqual(await unpack(t, content), whole);
});

test('what is not taken is not written, and a file goes where it is said to go', async (t) => {
  const take = (path: string) => (path === 'top/a.jpg' ? 'x/y.jpg' : undefined);
  for (const content of [writeZip(textOf(names)), await tarOf(...names.map((name) => ({ name })))]) {
    assert.deepEqual(await unpack(t, content, { take }), { 'x/y.jpg': 'top/a.jpg' });
  }
});

const outside: readonly (readonly [name: string, why: RegExp])[] = [
  ['../a.jpg', /holds \.\.\/a\.jpg, a path that leads out of the folder/],
  ['a/../../b.jpg', /a path that leads out of the folder/],
  ['a\\..\\..\\b.jpg', /a path that leads out of the folder/],
  ['/etc/a.jpg', /an absolute path/],
  ['\\\\server\\a.jpg', /an absolute path/],
  ['C:/a.jpg', /a path with the letter of a drive/],
  ['c:a.jpg', /a path with the letter of a drive/],
  ['a/NUL.jpg', /where NUL\.jpg is the name of a device on Windows/],
  ['com1/a.jpg', /where com1 is the name of a device on Windows/],
  [`${'a/'.repeat(70)}b.jpg`, /a path of more than 64 folders/],
];

test('a path that leads elsewhere, or that some system cannot have, is refused in one sentence', async (t) => {
  for (const [name, why] of outside) {
    await assert.rejects(unpack(t, await tarOf({ name: 'ok.jpg' }, { name })), refusal(why), name);
    await assert.rejects(unpack(t, writeZip(textOf(['ok.jpg', name]))), refusal(why), name);
  }
  const withNul = writeZip(textOf(['a\0b.jpg']));
  await assert.rejects(unpack(t, withNul), refusal(/a name with a NUL character in it/));
});

function refusal(why: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, why);
    assert.doesNotMatch(error.message, /\.\s+[A-Z]/u, 'there is more than one sentence');
    return true;
  };
}

test('names that Windows cannot have are refused there', () => {
  for (const name of ['a?.jpg', 'ab:c.jpg', 'a.jpg.', 'b /a.jpg']) {
    assert.throws(() => entryParts(name, 'win32'), /which Windows cannot name/);
    assert.equal(entryParts(name, 'linux').join('/'), name);
  }
  assert.deepEqual(entryParts('./a//b/.'), ['a', 'b']);
});

test('names that are one on some disks are refused, and so is one name twice', async (t) => {
  const pairs: readonly (readonly [string, string, RegExp])[] = [
    ['a/Cat.jpg', 'a/cat.JPG', /holds a\/Cat\.jpg and a\/cat\.JPG, whose names differ only in case/],
    ['Cat/1.jpg', 'cat/2.jpg', /Cat and cat, whose names differ only in case/],
    ['caf\u00e9.jpg', 'cafe\u0301.jpg', /whose names differ only in case/],
    ['a/1.jpg', 'a/1.jpg', /a\/1\.jpg twice/],
    ['a/1.jpg', 'a/./1.jpg', /a\/1\.jpg twice/],
    ['a.jpg', 'a.jpg/1.jpg', /a\.jpg both as a file and as a folder/],
  ];
  for (const [first, second, why] of pairs) {
    await assert.rejects(unpack(t, await tarOf({ name: first }, { name: second })), refusal(why));
    if (first !== second) await assert.rejects(unpack(t, writeZip(textOf([first, second]))), refusal(why));
  }
});

test('links and devices are refused, wherever they lead', async (t) => {
  const kinds: readonly (readonly [Header['type'] & string, RegExp])[] = [
    ['symlink', /holds x\.jpg, a symbolic link to y, and only files and folders are unpacked/],
    ['link', /a hard link to y/],
    ['character-device', /a device/],
    ['block-device', /a device/],
    ['fifo', /a FIFO/],
  ];
  for (const [type, why] of kinds) {
    const isLink = type === 'symlink' || type === 'link';
    const tar = await tarOf({ name: 'a.jpg' }, { name: 'x.jpg', type, ...(isLink ? { linkname: 'y' } : {}) });
    await assert.rejects(unpack(t, tar), refusal(why));
  }
  const modes: readonly (readonly [number, RegExp])[] = [
    [0o120777, /a symbolic link/],
    [0o060644, /not an ordinary file/],
    [0o010644, /not an ordinary file/],
  ];
  for (const [mode, why] of modes) {
    await assert.rejects(unpack(t, writeZip(textOf(['a.jpg', 'x.jpg']), { 'x.jpg': mode })), refusal(why));
  }
  assert.deepEqual(await unpack(t, writeZip(textOf(['a.jpg']), { 'a.jpg': 0o100644 })), { 'a.jpg': 'a.jpg' });
});

/** A tar of one file as GNU tar writes it where the file has holes: a header with a mark of its own. */
async function sparseTar(name: string): Promise<Uint8Array> {
  const tar = await tarOf({ name: 'a.jpg' }, { name });
  const at = 1024;
  tar[at + 156] = 'S'.charCodeAt(0);
  tar.set(Buffer.from('ustar  \0'), at + 257);
  // The sum of all bytes of a header, with spaces in its own place.
  tar.fill(0x20, at + 148, at + 156);
  const sum = tar.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  tar.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `), at + 148);
  return tar;
}

test('a sparse file is refused in the older form too, whose content is not that of the file', async (t) => {
  const tar = await sparseTar('b/ü 1.jpg');
  // Where there are many holes, a block behind the header tells of more.
  const ofManyHoles = Buffer.concat([tar.subarray(0, 1536), Buffer.alloc(512, 1), tar.subarray(1536)]);
  for (const content of [tar, gzipSync(tar), ofManyHoles]) {
    await assert.rejects(
      unpack(t, content),
      refusal(/holds b\/ü 1\.jpg, a sparse file, and only files and folders are/),
    );
  }
});

test('an archive beyond a limit is refused, and a zip before anything is written', async (t) => {
  const content = { 'a.bmp': Buffer.alloc(200_000), 'b.bmp': Buffer.alloc(100) };
  const zip = writeZip(content);
  const tar = gzipSync(await packTar(Object.entries(content).map(([name, body]) => ({ header: { name, size: body.length }, body })))); // prettier-ignore
  const cases: readonly (readonly [Partial<ArchiveLimits>, RegExp])[] = [
    [{ entries: 1 }, /holds more than 1 files and folders/],
    [{ bytes: 100_000 }, /holds more than 1 MB/],
    [{ ratio: 10, freeOfRatio: 1000 }, /unpacks to more than 10 times its own size/],
  ];
  for (const [limit, why] of cases) {
    const limits = { ...archiveLimits, ...limit };
    let written = 0;
    const onProgress = (done: number) => (written = done);
    await assert.rejects(unpack(t, zip, { limits, onProgress }), refusal(why));
    assert.equal(written, 0);
    await assert.rejects(unpack(t, tar, { limits }), refusal(why));
  }
  assert.deepEqual(Object.keys(await unpack(t, zip)), ['a.bmp', 'b.bmp']);
});

test('a damaged archive is refused, and what is no archive', async (t) => {
  const tar = await tarOf(...names.map((name) => ({ name })));
  const zip = writeZip(textOf(names));
  const flipped = Buffer.from(zip);
  flipped[45] = (flipped[45] ?? 0) ^ 0xff;
  for (const content of [zip.subarray(0, -30), flipped, tar.subarray(0, 700), gzipSync(tar).subarray(0, -20)]) {
    await assert.rejects(unpack(t, content), (error) => error instanceof UserError && error.message.includes('is damaged (')); // prettier-ignore
  }
  await assert.rejects(unpack(t, Buffer.from('hello')), refusal(/is not an archive that can be read/));
  await assert.rejects(unpack(t, Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1')), refusal(/is a 7-Zip archive/));
});

test('an unpacking that is cancelled says so', async (t) => {
  for (const content of [writeZip(textOf(names)), await tarOf(...names.map((name) => ({ name })))]) {
    await assert.rejects(unpack(t, content, { signal: AbortSignal.abort() }), CancelledError);
  }
  const body = 'x'.repeat(4_000_000);
  const tar = await packTar([{ header: { name: 'film.mp4', size: body.length }, body }]);
  for (const content of [tar, gzipSync(tar, { level: 0 })]) {
    const controller = new AbortController();
    const onProgress = (done: number) => done > 1_000_000 && controller.abort();
    const options = { take: () => undefined, onProgress, signal: controller.signal };
    await assert.rejects(unpack(t, content, options), CancelledError, 'while something is passed over');
  }
});
