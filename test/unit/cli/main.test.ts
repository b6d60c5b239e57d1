import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { endingOf, type Ending } from '../../../src/ml/cli/failure.ts';
import { normaliseArguments } from '../../../src/ml/cli/normaliseArguments.ts';
import { createProgram } from '../../../src/ml/cli/program.ts';
import { fivecrop } from './runCommand.ts';

const oneSentence = /^fivecrop: [^\n]+\n$/;

test('--help names every command and goes to standard output', async () => {
  const { code, stdout, stderr } = await fivecrop(['--help']);
  assert.deepEqual([code, stderr], [0, '']);
  for (const name of ['train', 'test', 'predict', 'check', 'export', 'devices', 'sample', 'runs']) {
    assert.match(stdout, new RegExp(`^  ${name}\\b`, 'm'));
  }
});

/** How a command line ends that fails before it does anything, without a process of its own. */
async function endingOfLine(line: string): Promise<Ending> {
  try {
    await createProgram().parseAsync(normaliseArguments(line.split(' ')), { from: 'user' });
    return { code: 0 };
  } catch (error) {
    return endingOf(error);
  }
}

test('wrong uses of every command end with 2 and one sentence', async () => {
  const wrong = [
    'train flowers --epochs many',
    'train flowers --bogus',
    'train --epochs 1',
    'train flowers --save_dir a --out b',
    'train flowers --name a/b',
    'predict image.jpg',
    'predict --arch resnet18',
    'predict image.jpg --arch resnet18 --checkpoint x',
    'predict image.jpg --arch resnet18 --crops 3',
    'predict image.jpg --arch resnet18 --top-k 0',
    'predict image.jpg --arch resnet18 --device tpu',
    'predict image.jpg --arch resnet18 --precision int4',
    'test flowers',
    'test flowers --checkpoint x --split all',
    'export a.safetensors b.txt',
    'paint',
  ];
  for (const line of wrong) {
    const { code, message = '' } = await endingOfLine(line);
    assert.equal(code, 2, `${line}: ${message}`);
    assert.match(`${message}\n`, oneSentence);
    assert.doesNotMatch(message, /\.\./);
  }
});

test('a wrong use as a process ends with 2, with nothing on standard output', async () => {
  const { code, stdout, stderr } = await fivecrop(['train', 'flowers', '--epochs', 'many', '--json']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, oneSentence);
});

test('a misspelt flag is answered with the right one', async () => {
  const { code, message = '' } = await endingOfLine('train flowers --epoch 3');
  assert.equal(code, 2);
  assert.match(message, /unknown option '--epoch'.*--epochs/);
});

test('a failure ends with 1 and one sentence, with the stack only where FIVECROP_DEBUG=1 asks for it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  const missing = join(folder, 'gone');
  const { code, message = '' } = await endingOfLine(`check ${missing} --json`);
  assert.equal(code, 1);
  assert.match(`${message}\n`, oneSentence);
  const debug = await fivecrop(['check', missing, '--json'], { env: { FIVECROP_DEBUG: '1' } });
  assert.deepEqual([debug.code, debug.stdout], [1, '']);
  assert.match(debug.stderr, /\n {4}at /);
});

test('no command at all is a wrong use that shows the help', async () => {
  const { code, stdout, stderr } = await fivecrop([]);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /Usage: fivecrop/);
});
