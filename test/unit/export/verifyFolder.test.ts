import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type FolderProof, folderProofSchema, proofFile } from '../../../src/protocol/exportFormat.ts';
import { proofDigest, sha256 } from '../../../src/ml/export/tensorflow/tensorflowFolder.ts';
import { verifyFolder } from '../../../src/ml/export/verifyFolder.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import { exportClassifier } from '../../../src/ml/library/exporting.ts';
import { seed } from '../engine/seed.ts';
import { writeRandomCheckpoint } from '../inference/checkpointFixture.ts';

const calibration = {
  temperature: { 1: 2.5, 5: 3 },
  images: 9,
  rejection: { targetError: 0.1, threshold: { 1: 0.4, 5: 0.36 } },
};
let root = '';
let folder = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  folder = join(root, 'model');
  const checkpoint = await writeRandomCheckpoint(root, { kind: 'architecture', name: 'ConvNet1' }, { calibration });
  await exportClassifier(checkpoint, folder, { format: 'tfjs', tests: 2, crops: 1 });
});
after(() => rm(root, { recursive: true }));

/** Does something while a file of the folder has another content. */
async function withFile(name: string, content: Uint8Array | string, work: () => Promise<unknown>): Promise<void> {
  const file = join(folder, name);
  const own = await readFile(file);
  await writeFile(file, content);
  try {
    await work();
  } finally {
    await writeFile(file, own);
  }
}

async function proof(): Promise<FolderProof> {
  return folderProofSchema.parse(JSON.parse(await readFile(join(folder, proofFile), 'utf8')));
}

/** The proof as its writer would have stamped it. */
function stamped(changed: FolderProof): string {
  const others = folderProofSchema.omit({ digest: true }).parse(changed);
  return JSON.stringify({ ...others, digest: proofDigest(others) });
}

test('a folder for TensorFlow.js is verified by its test images', async () => {
  const { tests, largest, tolerance, failure } = await verifyFolder(folder);
  assert.deepEqual([tests, tolerance, failure], [2, 1e-3, undefined]);
  // What plain JavaScript and ONNX Runtime round otherwise.
  assert.ok(largest > 0 && largest < 1e-5, String(largest));
});

test('a bit that is flipped anywhere in the folder is noticed', async () => {
  const random = createRandom(seed, 'flips of a folder');
  const names = await readdir(folder);
  for (let flip = 0; flip < 50; flip++) {
    const name = names[flip % names.length] ?? '';
    const content = await readFile(join(folder, name));
    const at = random.integer(content.length);
    content[at] = (content[at] ?? 0) ^ (1 << random.integer(8));
    await withFile(name, content, () => assert.rejects(verifyFolder(folder), { name: 'UserError' }, `${name} ${at}`));
  }
});

test('what a folder expects of other weights or other answers is seen to fail, whatever it says of itself', async () => {
  const own = await proof();
  const [first, ...others] = own.tests;
  assert.ok(first);
  const [least = 0, ...rest] = first.probabilities;
  const moved = { ...first, probabilities: [least + 2e-3, ...rest] };
  await withFile(proofFile, stamped({ ...own, tests: [moved, ...others] }), async () => {
    const { failure } = await verifyFolder(folder);
    assert.deepEqual([failure?.test, failure?.index], [1, 0]);
  });
  const isRejected = Math.max(...first.probabilities) < (own.threshold ?? 0);
  await withFile(proofFile, stamped({ ...own, threshold: isRejected ? 0 : 1 }), async () => {
    assert.ok((await verifyFolder(folder)).failure);
  });
  const [shard = ''] = Object.keys(own.files).filter((name) => name.endsWith('.bin'));
  const weights = await readFile(join(folder, shard));
  // The first values are those of a convolution, the last ones shapes.
  const values = new Float32Array(Uint8Array.from(weights).buffer).map((value, at) => (at < 50 ? 3 * value : value));
  const bytes = new Uint8Array(values.buffer);
  const files = { ...own.files, [shard]: sha256(bytes) };
  await withFile(shard, bytes, () =>
    withFile(proofFile, stamped({ ...own, files }), async () => assert.ok((await verifyFolder(folder)).failure)),
  );
});

test('a folder whose program is another one is not verified by ours, whatever it says of itself', async () => {
  const own = await proof();
  const script = `${await readFile(join(folder, 'classify.js'), 'utf8')}\n`;
  const files = { ...own.files, 'classify.js': sha256(script) };
  const others = Object.fromEntries(Object.entries(own.files).filter(([name]) => name !== 'classify.js'));
  for (const each of [files, others]) {
    await withFile('classify.js', script, () =>
      withFile(proofFile, stamped({ ...own, files: each }), () =>
        assert.rejects(verifyFolder(folder), { name: 'UserError', message: /^The classify\.js of .* is not that of/ }),
      ),
    );
  }
});

/** Does something while what `place` puts there is in the place of a file of the folder. */
async function withAnother(name: string, place: (file: string) => Promise<void>, work: () => Promise<unknown>) {
  const file = join(folder, name);
  await rename(file, join(root, 'own'));
  try {
    await place(file);
    await work();
  } finally {
    await rm(file, { recursive: true, force: true });
    await rename(join(root, 'own'), file);
  }
}

const isWindows = process.platform === 'win32';

test('a device, a folder or a huge file in the place of one of the folder’s is refused unread', async () => {
  const files = await readdir(folder);
  for (const name of files) {
    const refused = (why: RegExp) => () => assert.rejects(verifyFolder(folder), { name: 'UserError', message: why });
    const of = (why: string) => (name === proofFile ? /has no proof\.json that can be read/ : new RegExp(why, 'u'));
    const small = (file: string) => writeFile(file, '');
    await withAnother(
      name,
      (file) => mkdir(file).then(() => undefined),
      refused(of(`${name} is a folder, not a file`)),
    );
    await withAnother(
      name,
      (file) => small(file).then(() => truncate(file, 3 * 1024 ** 3)),
      refused(of(`${name} has 3,072 MiB, and a file of an export at most 64 MiB`)),
    );
    if (isWindows) continue;
    await withAnother(name, (file) => symlink('/dev/zero', file), refused(of(`${name} is a device, not a file`)));
  }
});

test('a proof that names files elsewhere, and a folder without one, are refused in sentences', async () => {
  const own = await proof();
  for (const name of ['../best.safetensors', '/etc/passwd', 'a/../../best.safetensors']) {
    const files = { ...own.files, [name]: sha256('') };
    await withFile(proofFile, stamped({ ...own, files }), () =>
      assert.rejects(verifyFolder(folder), { name: 'UserError', message: /proof\.json is not as it was exported/ }),
    );
  }
  await assert.rejects(verifyFolder(root), { name: 'UserError', message: /has no proof\.json that can be read/ });
  await assert.rejects(verifyFolder(folder, { signal: AbortSignal.abort() }), { name: 'CancelledError' });
});
