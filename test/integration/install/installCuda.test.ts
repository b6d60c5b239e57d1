import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { CancelledError, messageOf, UserError } from '../../../src/protocol/errors.ts';
import { type CudaFiles, cudaVersion } from '../../../src/ml/engine/onnxruntime/cuda/cudaFiles.ts';
import {
  cudaBytesOnDisk,
  installCuda,
  type InstallOptions,
  type InstallProgress,
  removeCuda,
} from '../../../src/ml/install/installCuda.ts';
import { writeZip } from '../../unit/archives/writeZip.ts';
import { hasWritten } from '../weights/imitatedHub.ts';

// Two small archives from a local server, in place of those of the table.
const contents = {
  'runtime/lib/libruntime.so': randomBytes(200_000),
  'maths/lib/libmaths.so': randomBytes(300_000),
  'maths/licenses/License.txt': Buffer.from('Terms.'),
};
type Path = keyof typeof contents;
const wheels = {
  'runtime.whl': writeZip(pick(['runtime/lib/libruntime.so'])),
  'maths.whl': writeZip({
    ...pick(['maths/lib/libmaths.so', 'maths/licenses/License.txt']),
    'maths/left.out': randomBytes(9),
  }),
};

function pick(paths: readonly Path[]): Record<string, Uint8Array> {
  return Object.fromEntries(paths.map((path) => [path, contents[path]]));
}

type Answer = (response: ServerResponse, content: Buffer, from: number, file: string) => void;
const whole: Answer = (response, content, from) => {
  const headers = {
    'content-length': content.length - from,
    'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
  };
  response.writeHead(from > 0 ? 206 : 200, headers).end(content.subarray(from));
};
/** Sends so many bytes and breaks the connection off once they are written, as long as there is more. */
const cutting =
  (limit: number): Answer =>
  (response, content, from, file) => {
    if (content.length - from <= limit) {
      whole(response, content, from, file);
      return;
    }
    const range = {
      'content-length': content.length - from,
      'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
    };
    response.writeHead(from > 0 ? 206 : 200, range);
    response.write(content.subarray(from, from + limit));
    void hasWritten(partOf(file), from + limit).then(() => response.destroy());
  };

let answer: Answer = whole;
let asked: { readonly file: string; readonly from: number }[] = [];
const server = createServer((request, response) => {
  const file = basename(request.url ?? '');
  const from = Number(/^bytes=(\d+)-/u.exec(request.headers.range ?? '')?.[1] ?? 0);
  asked.push({ file, from });
  const content = Object.entries(wheels).find(([name]) => name === file)?.[1];
  if (content) answer(response, content, from, file);
  else response.writeHead(404).end();
});
let root = '';
let base = '';
let folder = '';
const partOf = (file: string) => join(folder, 'downloads', `${file}.part`);

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  root = await mkdtemp(join(tmpdir(), 'fivecrop-cuda-'));
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  answer = whole;
  asked = [];
  folder = join(await mkdtemp(join(root, 'case-')), 'cuda');
});

const licence = { name: 'Terms', url: 'https://example.org' };

function files({ unpacked = 1 } = {}): CudaFiles {
  const archiveOf = (file: keyof typeof wheels, paths: readonly Path[]) => ({
    file,
    url: `${base}/${file}`,
    bytes: wheels[file].length,
    sha256: createHash('sha256').update(wheels[file]).digest('hex'),
    members: paths.map((from) => ({ from, to: basename(from), bytes: contents[from].length * unpacked })),
    licence,
  });
  return {
    archives: [
      archiveOf('runtime.whl', ['runtime/lib/libruntime.so']),
      archiveOf('maths.whl', ['maths/lib/libmaths.so', 'maths/licenses/License.txt']),
    ],
    first: [],
    runtime: 'libruntime.so',
  };
}

function install(options: InstallOptions = {}): Promise<void> {
  return installCuda({ files: files(), folder, retryMilliseconds: 5, stallMilliseconds: 5000, ...options });
}

async function assertInstalled(): Promise<void> {
  assert.deepEqual(await readdir(folder), [cudaVersion], 'nothing else is left');
  assert.deepEqual((await readdir(join(folder, cudaVersion))).sort(), ['License.txt', 'libmaths.so', 'libruntime.so']);
  for (const [path, content] of Object.entries(contents)) {
    assert.deepEqual(await readFile(join(folder, cudaVersion, basename(path))), content);
  }
}

async function sentenceOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(() => undefined, (reason: unknown) => reason); // prettier-ignore
  assert.ok(error instanceof UserError, messageOf(error));
  assert.match(error.message, /^[^\n]+\.$/u);
  return error.message;
}

test('all archives are downloaded and unpacked, with progress in bytes, for nobody but the user', async () => {
  const seen: InstallProgress[] = [];
  await install({ onProgress: (progress) => seen.push(progress) });
  await assertInstalled();
  const totals = { Downloading: 0, Unpacking: 0 };
  for (const { what, done, total } of seen) {
    assert.ok(done >= totals[what] && done <= total, 'it only grows');
    totals[what] = done;
  }
  assert.equal(totals.Downloading, wheels['runtime.whl'].length + wheels['maths.whl'].length);
  assert.equal(totals.Unpacking, 500_006);
  if (process.platform !== 'win32') assert.equal((await stat(folder)).mode & 0o777, 0o700);
});

test('a second installation does nothing', async () => {
  await install();
  asked = [];
  await install();
  assert.deepEqual(asked, []);
  await assertInstalled();
});

test('of two installations at once one does the work', async () => {
  await Promise.all([install(), install()]);
  assert.equal(asked.length, 2);
  await assertInstalled();
});

test('an installation that lost a file is made anew', async () => {
  await install();
  await rm(join(folder, cudaVersion, 'libmaths.so'));
  await install();
  await assertInstalled();
});

test('another version that was installed before goes when the new one is whole', async () => {
  await mkdir(join(folder, 'onnxruntime-1.0.0-cuda-12.0-cudnn-9.0'), { recursive: true });
  await install();
  await assertInstalled();
});

test('a transfer that breaks is taken up where it broke, also by a later installation', async () => {
  answer = cutting(60_000);
  const sentence = await sentenceOf(install());
  assert.match(
    sentence,
    /^runtime\.whl of CUDA’s libraries cannot be downloaded, because 127\.0\.0\.1:\d+ .*what has arrived is kept/iu,
  );
  assert.deepEqual(asked.map(({ from }) => from), [0, 60_000, 120_000]); // prettier-ignore
  asked = [];
  answer = whole;
  await install();
  assert.deepEqual(asked, [
    { file: 'runtime.whl', from: 180_000 },
    { file: 'maths.whl', from: 0 },
  ]);
  await assertInstalled();
});

test('another file under an archive’s name is not installed', async () => {
  answer = (response, content, from, file) => whole(response, Buffer.from(content).reverse(), from, file);
  assert.match(await sentenceOf(install()), /^runtime\.whl .* has another file under its name\. .*try again/u);
  assert.deepEqual(await readdir(folder), ['downloads']);
  assert.deepEqual(await readdir(join(folder, 'downloads')), []);
  answer = whole;
  await install();
  await assertInstalled();
});

test('a server without the archive is said', async () => {
  answer = (response) => response.writeHead(404).end();
  assert.match(await sentenceOf(install()), /^runtime\.whl .* does not have the file\. .*check the connection/u);
});

test('without room nothing is downloaded, and the sentence says how much to free', async () => {
  const sentence = await sentenceOf(install({ files: files({ unpacked: 1e11 }) }));
  assert.match(sentence, /need \d+ MB free in .*cuda, and \d+ MB are: free \d+ MB there/u);
  assert.deepEqual(asked, []);
});

test('a cancelled installation keeps what has arrived and goes on from there', async () => {
  const controller = new AbortController();
  answer = (response, content, from, file) => {
    if (content === wheels['runtime.whl']) {
      whole(response, content, from, file);
      return;
    }
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1000));
    void hasWritten(partOf(file), 1000).then(() => controller.abort());
  };
  await assert.rejects(install({ signal: controller.signal }), CancelledError);
  assert.deepEqual((await readdir(join(folder, 'downloads'))).sort(), ['maths.whl.part', 'runtime.whl']);
  asked = [];
  answer = whole;
  await install();
  assert.deepEqual(asked, [{ file: 'maths.whl', from: 1000 }]);
  await assertInstalled();
});

test('an installation that is cancelled while it unpacks is not used, and a later one downloads nothing', async () => {
  const controller = new AbortController();
  const onProgress = ({ what }: InstallProgress) => what === 'Unpacking' && controller.abort();
  await assert.rejects(install({ signal: controller.signal, onProgress }), CancelledError);
  assert.ok(!(await readdir(folder)).includes(cudaVersion));
  asked = [];
  await install();
  assert.deepEqual(asked, []);
  await assertInstalled();
});

test('a mirror is asked instead of the published address, or looked through where it is a folder', async () => {
  const elsewhere: CudaFiles = {
    ...files(),
    archives: files().archives.map((archive) => ({ ...archive, url: `http://127.0.0.1:1/${archive.file}` })),
  };
  const without = { ...elsewhere, archives: elsewhere.archives.map((archive) => ({ ...archive, file: 'gone.whl' })) };
  assert.match(
    await sentenceOf(install({ files: without, mirror: base })),
    /^gone\.whl .* does not have the file\. .*check the mirror \(/u,
  );
  await install({ files: elsewhere, mirror: `${base}/mirror/` });
  await assertInstalled();
  await removeCuda({ folder });
  const mirror = join(folder, '../mirror');
  await mkdir(mirror);
  assert.match(await sentenceOf(install({ files: elsewhere, mirror })), /has no runtime\.whl: copy it there/u);
  for (const [name, content] of Object.entries(wheels)) await writeFile(join(mirror, name), content);
  asked = [];
  await install({ files: elsewhere, mirror });
  assert.deepEqual(asked, []);
  await assertInstalled();
  assert.deepEqual((await readdir(mirror)).sort(), ['maths.whl', 'runtime.whl'], 'the mirror keeps its files');
});

test('a folder that others may write to is refused', { skip: process.platform === 'win32' }, async () => {
  await mkdir(folder);
  const { chmod } = await import('node:fs/promises');
  await chmod(folder, 0o777);
  assert.match(await sentenceOf(install()), /other users may write to it/u);
});

test('what was installed is removed, downloads too, and removing nothing is no failure', async () => {
  await install();
  await mkdir(join(folder, 'downloads'));
  await writeFile(join(folder, 'downloads', 'maths.whl.part'), 'abc');
  assert.equal(await removeCuda({ folder }), true);
  assert.deepEqual(await readdir(folder), []);
  assert.equal(await removeCuda({ folder }), false);
  assert.equal(await removeCuda({ folder: join(folder, 'gone') }), false);
});

test('what else is in the folder is neither counted nor removed', async () => {
  await mkdir(join(folder, 'downloads'), { recursive: true });
  const theirs = [
    join(folder, 'thesis.txt'),
    join(folder, 'onnxruntime-1.0.0'),
    join(folder, 'downloads', 'photo.jpg'),
  ];
  for (const file of theirs) await writeFile(file, 'theirs');
  await install();
  const before = await cudaBytesOnDisk(folder);
  assert.equal(await removeCuda({ folder }), true);
  assert.deepEqual((await readdir(folder)).sort(), ['downloads', 'onnxruntime-1.0.0', 'thesis.txt']);
  assert.deepEqual(await readdir(join(folder, 'downloads')), ['photo.jpg']);
  assert.ok(before > 0);
  assert.equal(await cudaBytesOnDisk(folder), 0);
  assert.equal(await removeCuda({ folder }), false);
});
