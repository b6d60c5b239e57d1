import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../../src/protocol/errors.ts';
import { readTorchStateDict, torchvisionNames } from '../../../src/ml/weights/torchStateDict.ts';
import { withTorchFile } from '../../../src/ml/weights/torchFile.ts';
import { loadWeightsFile } from '../../../src/ml/weights/weightsFile.ts';

/** Written by torch through files/make.py, which says what lies in them. */
const files = join(import.meta.dirname, 'files');
let folder = '';
before(async () => (folder = await mkdtemp(join(tmpdir(), 'fivecrop-torch-'))));
after(() => rm(folder, { recursive: true }));

const grid = Array.from({ length: 24 }, (_, index) => index);
const expected = new Map<string, readonly [dtype: string, shape: readonly number[], values: readonly number[]]>([
  ['float', ['float32', [2, 3, 4], grid]],
  ['transposed', ['float32', [4, 2, 3], grid.map((index) => (index % 6) * 4 + Math.floor(index / 6))]],
  ['offset', ['float32', [2, 2], [16, 18, 20, 22]]],
  ['half', ['float32', [4], [1.5, -2, 2 ** -24, Infinity]]],
  ['bfloat', ['float32', [2, 1], [1.5, -3]]],
  ['double', ['float32', [2], [0.5, -0.25]]],
  ['long', ['int64', [], [2 ** 60]]],
  ['int', ['int64', [2], [-1, 7]]],
  ['byte', ['uint8', [2], [0, 255]]],
  ['bool', ['uint8', [2], [1, 0]]],
  ['empty', ['float32', [0, 3], []]],
  ['parameter', ['float32', [1], [4]]],
  ['denselayer1.norm1.weight', ['float32', [1], [6]]],
]);

for (const format of ['zip', 'legacy']) {
  test(`every kind of tensor in torch's ${format} format is read under today's names, and nothing is run`, async () => {
    const state = await loadWeightsFile(join(files, `${format}.pth`));
    const found = [...state].map(([name, { dtype, shape, data }]) => [name, [dtype, shape, Array.from(data, Number)]]);
    assert.deepEqual(found, [...expected]);
    assert.equal(existsSync('/tmp/fivecrop-was-here'), false);
  });

  test(`plain values of the ${format} format are read, and what is no plain value is inert`, async () => {
    await withTorchFile(join(files, `${format}.pth`), ({ root }) => {
      assert.ok(root instanceof Map);
      assert.deepEqual(root.get('numbers'), [1, -2, 3.5, null, true, 2n ** 70n, 'ü', new Set([1, 2])]);
      assert.deepEqual(root.get('harm'), { inert: 'posix.system' });
      assert.deepEqual(root.get('optimizer'), { inert: 'torch.optim.sgd.SGD' });
      assert.equal(root.get('itself'), root);
      return Promise.resolve();
    });
  });

  test(`a ${format} file that is cut anywhere is a user error`, async () => {
    const whole = await readFile(join(files, `${format}.pth`));
    const path = join(folder, `cut-${format}.pth`);
    for (let length = 0; length < whole.length - 1; length += 97) {
      await writeFile(path, whole.subarray(0, length));
      await assert.rejects(readTorchStateDict(path), UserError, `cut at ${length}`);
    }
  });
}

test('a tensor that claims more elements than its storage has is refused', async () => {
  await assert.rejects(readTorchStateDict(join(files, 'expanded.pth')), /claims more elements/);
});

test('a whole pickled module is refused with the line that saves it rightly', async () => {
  await assert.rejects(readTorchStateDict(join(files, 'module.pth')), /torch\.save\(model\.state_dict\(\), path\)/);
});

test('a storage whose size in the archive was raised is refused, not read past its end', async () => {
  const bytes = await readFile(join(files, 'zip.pth'));
  // The pickle's `K\x18` (24 elements of the first storage) becomes `K\xff`.
  const at = bytes.indexOf(Buffer.from('cpu'));
  const count = bytes.indexOf(Buffer.from([0x4b, 24]), at);
  assert.ok(count > 0);
  for (const place of [count, bytes.indexOf(Buffer.from([0x4b, 4]), count)]) {
    const changed = Buffer.from(bytes);
    changed[place + 1] = 0xff;
    const path = join(folder, 'raised.pth');
    await writeFile(path, changed);
    try {
      assert.deepEqual((await readTorchStateDict(path)).get('float')?.shape, [2, 3, 4]);
    } catch (error) {
      assert.ok(error instanceof UserError, String(error));
    }
  }
});

test('files of other kinds are user errors', async () => {
  const text = join(folder, 'text.pth');
  await writeFile(text, '<html>404</html>');
  await assert.rejects(loadWeightsFile(text), UserError);
  await assert.rejects(loadWeightsFile(join(folder, 'none.pt')), UserError);
  await assert.rejects(loadWeightsFile(folder), /\.safetensors, \.pth or \.pt/);
});

test('prefixes go only where every name has them', () => {
  const names = (...keys: string[]) => [...torchvisionNames(new Map(keys.map((key) => [key, 0]))).keys()];
  assert.deepEqual(names('module._orig_mod.a.weight', 'module._orig_mod.b.weight'), ['a.weight', 'b.weight']);
  assert.deepEqual(names('n_averaged', 'module.a.weight', 'module.b.weight'), ['a.weight', 'b.weight']);
  assert.deepEqual(names('model.a.weight', 'model.b.weight'), ['a.weight', 'b.weight']);
  assert.deepEqual(names('module.a.weight', 'b.weight'), ['module.a.weight', 'b.weight']);
  assert.deepEqual(names('features.denseblock1.denselayer2.conv.1.weight', 'features.conv0.weight'), [
    'features.denseblock1.denselayer2.conv1.weight',
    'features.conv0.weight',
  ]);
});
