import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../unit/data/temporaryImages.ts';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '..', '..', '..');

/** Runs an example as its users do: with the built library, by its name. */
async function example(name: string, ...args: readonly string[]): Promise<string[]> {
  if (!existsSync(join(root, 'dist', 'ml', 'library.mjs'))) throw new Error('Run `npm run build` first.');
  const command = ['--import', 'tsx', join(root, 'examples', name), ...args];
  const { stdout } = await execute(process.execPath, command, { cwd: root, env: { ...process.env, NODE_OPTIONS: '' } });
  return stdout.trim().split('\n');
}

test('the examples draw, check, train, test and classify by the library alone', async (t) => {
  const folder = await temporaryFolder(t);
  const lines = await example('trainAndTest.ts', folder);
  assert.equal(lines[0], '5 classes, 0 findings');
  const run = join(folder, 'runs', 'ConvNet1-scratch');
  assert.ok(lines.includes(`finished after ${2 * Math.ceil(200 / 32)} steps in ${run}`), lines.join('\n'));
  assert.match(lines.at(-1) ?? '', /^50 test images, accuracy \d\.\d\d$/u);
  const images = join(folder, 'flowers', 'test', '1');
  const [image = ''] = await readdir(images);
  const answers = await example('classify.ts', run, join(images, image), join(root, 'package.json'));
  assert.match(answers[0] ?? '', /: [a-z ]+$/u);
  assert.match(answers[1] ?? '', /package\.json: The file is not in a format that can be read/u);
  assert.match(answers[2] ?? '', /^the first is \d+ × \d+ pixels$/u);
});
