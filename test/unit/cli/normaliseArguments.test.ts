import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normaliseArguments } from '../../../src/ml/cli/normaliseArguments.ts';

test("the report's flag names become ours, with values apart or joined by =", () => {
  const report = '--learning_rate 0.01 --hidden_units=512 --no_of_trainable 508 --category_names names.json --top_k=3';
  const ours = '--lr 0.01 --hidden=512 --trainable-tensors 508 --class-names names.json --top-k=3';
  assert.deepEqual(normaliseArguments(report.split(' ')), ours.split(' '));
});

test('--gpu asks for the device, --load_dir for the checkpoint, --save_dir keeps its name', () => {
  assert.deepEqual(normaliseArguments(['--gpu', '--load_dir=a_b', '--save_dir', 'c_d']), [
    '--device',
    'gpu',
    '--checkpoint=a_b',
    '--save-dir',
    'c_d',
  ]);
});

test('values, short flags, positions and everything behind -- stay as they are', () => {
  const argv = ['my_folder', '-x_y', '--name=a_b=c_d', '--', '--learning_rate'];
  assert.deepEqual(normaliseArguments(argv), argv);
});

test('--no-pretrained and --pretrained are no aliases', () => {
  assert.deepEqual(normaliseArguments(['--no-pretrained', '--pretrained']), ['--no-pretrained', '--pretrained']);
});
