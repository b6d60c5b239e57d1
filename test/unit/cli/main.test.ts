import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { endingOf, type Ending } from '../../../src/ml/cli/failure.ts';
import { normaliseArguments } from '../../../src/ml/cli/normaliseArguments.ts';
import { createProgram } from '../../../src/ml/cli/program.ts';

const oneSentence = /^fivecrop: [^\n]+\n$/;

/** How a command line ends that fails before it does anything, without a process of its own. */
async function endingOfLine(line: string): Promise<Ending> {
  try {
    const argv = normaliseArguments(line.split(' '));
    await (await createProgram(argv)).parseAsync(argv, { from: 'user' });
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
    'job',
    'job --kubernetes a.json --gpus 2',
    'sweep a.json flowers --gpus some',
    'train flowers --webhook secret',
    'paint',
  ];
  for (const line of wrong) {
    const { code, message = '' } = await endingOfLine(line);
    assert.equal(code, 2, `${line}: ${message}`);
    assert.match(`${message}\n`, oneSentence);
    assert.doesNotMatch(message, /\.\./);
  }
});

test('a command that is called is loaded alone, for the version none is, and the help has all', async () => {
  const namesFor = async (...argv: string[]) => (await createProgram(argv)).commands.map((command) => command.name());
  const all = await namesFor('--help');
  assert.ok(all.length > 25);
  assert.deepEqual(await namesFor('paint'), all);
  for (const name of all) assert.deepEqual(await namesFor(name, '--help'), [name]);
  assert.deepEqual(await namesFor('--version'), []);
});

test('a misspelt flag is answered with the right one', async () => {
  const { code, message = '' } = await endingOfLine('train flowers --epoch 3');
  assert.equal(code, 2);
  assert.match(message, /unknown option '--epoch'.*--epochs/);
});

test('a failure ends with 1 and one sentence', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-'));
  t.after(() => rm(folder, { recursive: true }));
  const { code, message = '' } = await endingOfLine(`check ${join(folder, 'gone')} --json`);
  assert.equal(code, 1);
  assert.match(`${message}\n`, oneSentence);
});
