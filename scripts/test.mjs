// Runs the tests of a folder under test/, or of several, with Node's own runner: `node scripts/test.mjs unit [pattern...]`,
// `node scripts/test.mjs faults+parity`. It builds first; `--built` takes the build that is there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { compileKernels } from './compileKernels.mjs';
import { copyJpegLibraries } from './jpegLibrary.mjs';

/** Milliseconds after which a file of tests hangs, and fails. */
const longest = 30 * 60 * 1000;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { built: { type: 'boolean', default: false } },
});
const [suite = '', ...given] = positionals;
/**
 * Files that run beside each other: half of the time one waits, or computes on a single core. Whole editors go one by one:
 * beside another, one lost a key that a test pressed.
 */
const atOnce = suite === 'e2e' ? 1 : 2;
const patterns = given.length > 0 ? given : [''];
const root = join(import.meta.dirname, '..');
const folder = join(root, 'test', suite);
const found = suite.split('+').flatMap((each) =>
  readdirSync(join(root, 'test', each), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => ({ name, path: join(root, 'test', each, name) })),
);
for (const pattern of patterns) {
  if (found.some(({ name }) => name.includes(pattern))) continue;
  console.error(`No test file under test/${suite} has "${pattern}" in its name.`);
  process.exit(1);
}
const files = found.filter(({ name }) => patterns.some((pattern) => name.includes(pattern))).map(({ path }) => path);
if (!values.built) build();
// Test files run in processes of their own, which inherit these options.
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import tsx`.trim();
const together = suite === 'unit' ? shareOut(files) : files;
run({ files: together, concurrency: suite === 'unit' ? together.length : atOnce, timeout: longest })
  .on('test:fail', () => (process.exitCode = 1))
  .compose(new spec())
  .pipe(process.stdout);

/** What the suite needs of the build: but for the unit tests they start its programs and their threads. */
function build() {
  if (suite !== 'unit') {
    execFileSync(process.execPath, ['esbuild.config.mjs'], { cwd: root, stdio: 'inherit' });
    return;
  }
  compileKernels();
  copyJpegLibraries();
}

/** As many files as this machine has cores, which have the tests of all of them run together. */
function shareOut(files) {
  const shares = mkdtempSync(join(tmpdir(), 'fivecrop-unit-tests-'));
  process.on('exit', () => rmSync(shares, { recursive: true, force: true }));
  const count = Math.min(availableParallelism(), files.length);
  return Array.from({ length: count }, (_, share) => {
    const own = files.filter((_, index) => index % count === share);
    const module = pathToFileURL(join(import.meta.dirname, 'testTogether.mjs')).href;
    const path = join(shares, `share${share}.mjs`);
    const [from, what] = [module, [folder, own]].map((value) => JSON.stringify(value));
    writeFileSync(path, `import { testTogether } from ${from};\ntestTogether(...${what});\n`);
    return path;
  });
}
