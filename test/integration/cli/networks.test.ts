import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fivecrop } from './runCommand.ts';

let folder = '';
before(async () => (folder = await mkdtemp(join(tmpdir(), 'fivecrop-networks-'))));
after(() => rm(folder, { recursive: true }));

const networks = async (...args: string[]) => {
  const env = { FIVECROP_CACHE: folder, FIVECROP_WEIGHTS: join(folder, 'weights') };
  const ended = await fivecrop(['networks', ...args], { env });
  const lines = ended.stdout.split('\n').filter((line) => line.startsWith('{'));
  return { ...ended, objects: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
};

test('networks are listed by words, with what is published of them and whether their weights are here', async () => {
  const { objects } = await networks('BSD', 'resnet-18', '--json');
  assert.deepEqual(objects, [
    {
      ...{ name: 'resnet18', title: 'ResNet-18', family: 'ResNet', isTransformer: false },
      ...{
        parameters: 11_689_512,
        top1: 0.69758,
        licence: 'BSD-3-Clause',
        weightsBytes: 46_807_446,
        weightsHere: false,
      },
    },
  ]);
  const wrong = await networks('resnt18');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /No network has “resnt18” .*: did you mean .*resnet18/);
});

test('what was measured here is remembered', async () => {
  const measured = await networks('convnet1', '--measure', '--engine', 'onnx', '--device', 'cpu', '--json');
  assert.equal(measured.code, 0, measured.stderr);
  const speed = measured.objects[0]?.['imagesPerSecond'];
  assert.ok(typeof speed === 'number' && speed > 0);
  const later = await networks('convnet', '--json');
  assert.deepEqual(
    later.objects.map(({ name, imagesPerSecond }) => [name, imagesPerSecond]),
    [
      ['ConvNet1', speed],
      ['ConvNet2', undefined],
      ['ConvNet3', undefined],
    ],
  );
  const { stdout } = await networks('convnet');
  const [, ...rows] = stdout.trimEnd().split('\n');
  assert.deepEqual(
    rows.map((row) => /\d +onnx on cpu$/u.test(row)),
    [true, false, false],
  );
});
