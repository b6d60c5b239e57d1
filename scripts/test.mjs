// Runs the tests of one folder under test/ with Node's own runner: `node scripts/test.mjs unit [pattern]`.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import process from 'node:process';
import { compileKernels } from './compileKernels.mjs';
import { copyJpegLibraries } from './jpegLibrary.mjs';

/** Milliseconds after which a file of tests hangs, and fails. */
const longest = 30 * 60 * 1000;

const [suite, pattern = ''] = process.argv.slice(2);
const folder = join(import.meta.dirname, '..', 'test', suite);
const files = readdirSync(folder, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.test.ts') && name.includes(pattern))
  .sort()
  .map((name) => join(folder, name));
if (files.length === 0) {
  console.error(`No test file under test/${suite} has "${pattern}" in its name.`);
  process.exit(1);
}
compileKernels();
copyJpegLibraries();
// Test files run in processes of their own, which inherit these options.
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import tsx`.trim();
run({ files, concurrency: suite === 'unit', timeout: longest })
  .on('test:fail', () => (process.exitCode = 1))
  .compose(new spec())
  .pipe(process.stdout);
