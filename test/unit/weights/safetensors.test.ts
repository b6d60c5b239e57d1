import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../../src/protocol/errors.ts';
import type { StateDict, Tensor } from '../../../src/ml/graph/tensor.ts';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../../../src/ml/weights/safetensors.ts';
import { readSafetensorsMetadata } from '../../../src/runs/safetensorsHeader.ts';

let folder = '';
before(async () => (folder = await mkdtemp(join(tmpdir(), 'fivecrop-safetensors-'))));
after(() => rm(folder, { recursive: true }));

/** A file as the format's description lays it out, made without our writer. */
async function fileOf(name: string, header: unknown, data: Uint8Array = new Uint8Array()): Promise<string> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, name);
  await writeFile(path, Buffer.concat([length, json, data]));
  return path;
}

const sample: StateDict = new Map<string, Tensor>([
  ['a.weight', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, Infinity, 1e-40) }],
  ['a.mask', { dtype: 'uint8', shape: [3], data: Uint8Array.of(0, 7, 255) }],
  ['a.num_batches_tracked', { dtype: 'int64', shape: [], data: BigInt64Array.of(-(2n ** 62n)) }],
  ['a.empty', { dtype: 'float32', shape: [0, 4], data: new Float32Array() }],
]);

test('a state dict comes back as it was written, in its order, with its metadata', async () => {
  await mkdir(join(folder, 'new'));
  const path = join(folder, 'new', 'round.safetensors');
  await writeSafetensors(path, sample, { note: 'Blüte "1"' });
  const { state, metadata } = await readSafetensors(path);
  assert.deepEqual([...state], [...sample]);
  assert.deepEqual(metadata, { note: 'Blüte "1"' });
  assert.deepEqual(await readSafetensorsMetadata(path), metadata);
  assert.deepEqual(await readdir(join(folder, 'new')), ['round.safetensors']);
});

test('the bytes lie as the format says: length, JSON padded to 8, data aligned to its elements', async () => {
  const path = join(folder, 'layout.safetensors');
  await writeSafetensors(path, sample);
  const bytes = await readFile(path);
  const length = Number(bytes.readBigUInt64LE());
  assert.equal(length % 8, 0);
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  const weight = header['a.weight'];
  const tracked = header['a.num_batches_tracked'];
  assert.ok(weight && tracked);
  assert.equal(weight.dtype, 'F32');
  assert.equal(weight.data_offsets[0] % 4, 0);
  assert.equal(bytes.readFloatLE(8 + length + weight.data_offsets[0] + 8), 3.5);
  assert.equal(tracked.dtype, 'I64');
  assert.equal(bytes.readBigInt64LE(8 + length + tracked.data_offsets[0]), -(2n ** 62n));
});

test('half precision and float64 become float32, smaller integers int64', async () => {
  // 1.5, -2, the smallest subnormal, infinity in binary16; 1.5, -2 in bfloat16: bit patterns from IEEE 754.
  const halves = Uint16Array.of(0x3e00, 0xc000, 0x0001, 0x7c00);
  const brains = Uint16Array.of(0x3fc0, 0xc000);
  const doubles = Float64Array.of(0.1);
  const integers = Int32Array.of(-5, 2_000_000_000);
  const data = Buffer.concat([halves, brains, doubles, integers].map((part) => Buffer.from(part.buffer)));
  const path = await fileOf(
    'types.safetensors',
    {
      half: { dtype: 'F16', shape: [4], data_offsets: [0, 8] },
      brain: { dtype: 'BF16', shape: [2], data_offsets: [8, 12] },
      double: { dtype: 'F64', shape: [1], data_offsets: [12, 20] },
      integer: { dtype: 'I32', shape: [2], data_offsets: [20, 28] },
    },
    data,
  );
  const { state } = await readSafetensors(path);
  assert.deepEqual(state.get('half')?.data, Float32Array.of(1.5, -2, 2 ** -24, Infinity));
  assert.deepEqual(state.get('brain')?.data, Float32Array.of(1.5, -2));
  assert.deepEqual(state.get('double')?.data, Float32Array.of(0.1));
  assert.deepEqual(state.get('integer')?.data, BigInt64Array.of(-5n, 2_000_000_000n));
});

const four = { dtype: 'U8', shape: [4], data_offsets: [0, 4] };
const hostile: readonly (readonly [string, unknown, number, RegExp])[] = [
  ['overlapping tensors', { a: four, b: { ...four, data_offsets: [2, 6] } }, 6, /overlaps/],
  ['a hole', { a: four, b: { ...four, data_offsets: [5, 9] } }, 9, /hole/],
  ['offsets past the end', { a: four }, 3, /ends too early/],
  ['bytes of no tensor', { a: four }, 5, /belong to no tensor/],
  ['a shape that does not fit', { a: { ...four, shape: [5] } }, 4, /do not fit its shape/],
  ['a shape that overflows', { a: { ...four, shape: [2 ** 40, 2 ** 40] } }, 4, /do not fit its shape/],
  ['negative offsets', { a: { ...four, data_offsets: [-4, 0] } }, 4, /not two numbers/],
  ['negative sizes', { a: { ...four, shape: [-2, -2] } }, 4, /not a list of sizes/],
  ['an unknown type', { a: { ...four, dtype: 'F8_E4M3' } }, 4, /F8_E4M3/],
  ['a type that is a property of every object', { a: { ...four, dtype: 'constructor' } }, 4, /constructor/],
  ['metadata that is no string', { __metadata__: { a: 1 } }, 0, /not a string/],
  ['a header that is a list', [1], 0, /not a JSON object/],
  ['a header that is no JSON', '{', 0, /not valid JSON/],
];
for (const [what, header, dataBytes, message] of hostile) {
  test(`a file with ${what} is refused with a sentence that names it`, async () => {
    const path = await fileOf('hostile.safetensors', header, new Uint8Array(dataBytes));
    await assert.rejects(
      readSafetensorsHeader(path).then(() => readSafetensors(path)),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, message);
        assert.ok(error.message.includes(path) || what.startsWith('metadata'));
        return true;
      },
    );
  });
}

test('a claim of a huge header is refused before memory is taken for it', async () => {
  const path = join(folder, 'huge.safetensors');
  await writeFile(path, Buffer.from('ffffffffffffff7f7b7d', 'hex'));
  await assert.rejects(readSafetensors(path), /not the length of a header/);
});

test('a file that is not there and one that cannot be written are user errors', async () => {
  await assert.rejects(readSafetensors(join(folder, 'none.safetensors')), UserError);
  const inTheWay = join(folder, 'file');
  await writeFile(inTheWay, '');
  await assert.rejects(writeSafetensors(join(inTheWay, 'a.safetensors'), sample), UserError);
});
