import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointMetadataSchema } from '../../../src/protocol/checkpointMetadata.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';

const config = { data: 'flowers', network: { kind: 'architecture', name: 'resnet18' } };
const absurdSettings: readonly (readonly [string, unknown])[] = [
  ['imageSize', 1e6],
  ['imageSize', 0.5],
  ['resize', 4000],
  ['hidden', [1e9]],
  ['hidden', Array.from({ length: 3000 }, () => 8)],
  ['epochs', 1e15],
  ['batchSize', 1e6],
  ['learningRate', 1e308],
  ['seed', -1],
  ['seed', 2 ** 60],
  ['classNames', 'x'.repeat(1e6)],
  ['surprise', 1],
];
for (const [field, value] of absurdSettings) {
  test(`settings with ${field} ${JSON.stringify(value).slice(0, 20)} are refused, and the refusal names the setting`, () => {
    const { error } = trainingConfigSchema.safeParse({ ...config, [field]: value });
    assert.match(JSON.stringify(error?.issues), new RegExp(field));
  });
}

const label = (index: number, folder: string) => ({ index, folder, name: folder });
const checkpoint = {
  version: 1,
  network: { kind: 'architecture', name: 'resnet18' },
  head: { hidden: [], dropout: 0.5, classes: 2 },
  classes: [label(0, 'daisy'), label(1, 'rose')],
  preprocessing: { resize: 255, crop: 224, scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1], channels: 'rgb' },
  training: { run: 'run', method: 'head', step: 40, epoch: 0.5, data: 'flowers' },
  metrics: {},
  created: '2024-01-01T00:00:00.000Z',
};
const { preprocessing } = checkpoint;
const contradictions: readonly (readonly [string, object])[] = [
  ['no classes', { classes: [], head: { hidden: [], dropout: 0, classes: 0 } }],
  ['fewer classes than outputs', { classes: [label(0, 'daisy')] }],
  ['a class number that comes twice', { classes: [label(0, 'daisy'), label(0, 'rose')] }],
  ['a class number that no output has', { classes: [label(0, 'daisy'), label(2, 'rose')] }],
  ['a class folder that comes twice', { classes: [label(0, 'daisy'), label(1, 'daisy')] }],
  ['a name of a million letters', { classes: [label(0, 'daisy'), { ...label(1, 'rose'), name: 'x'.repeat(1e6) }] }],
  ['a huge hidden layer', { head: { hidden: [1e9], dropout: 0, classes: 2 } }],
  ['a scale at the end of all numbers', { preprocessing: { ...preprocessing, scale: 1e308 } }],
  ['a deviation of nearly nothing', { preprocessing: { ...preprocessing, std: [1, 1, 1e-300] } }],
  ['a crop of a million pixels', { preprocessing: { ...preprocessing, crop: 1e6 } }],
];

test('a checkpoint that agrees with itself is taken', () => {
  assert.deepEqual(checkpointMetadataSchema.parse(checkpoint), checkpoint);
});
for (const [what, change] of contradictions) {
  test(`a checkpoint with ${what} is refused`, () => {
    assert.equal(checkpointMetadataSchema.safeParse({ ...checkpoint, ...change }).success, false);
  });
}
