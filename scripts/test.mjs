// Runs the tests of a folder under test/, or of several, with Node's own runner: `node scripts/test.mjs unit [pattern...]`,
// `node scripts/test.mjs pages+integration`. It builds first; `--built` takes the build that is there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
if (suite !== 'unit' && Math.min(atOnce, files.length) > 1) shareOutCores();
// The first editor installs the package, the others copy what it installed.
if (suite === 'e2e') process.env.FIVECROP_EXTENSIONS = temporaryFolder('fivecrop-extensions-');
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

/** Gives files that run beside each other cores of their own, where the system can do that; ownCores.mjs takes them. */
function shareOutCores() {
  const [, list = ''] = /^Cpus_allowed_list:\s*(\S+)$/mu.exec(statusOfProcess()) ?? [];
  const cores = list.split(',').flatMap((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  if (cores.length < atOnce) return;
  const taken = temporaryFolder('fivecrop-cores-');
  const shares = Array.from({ length: atOnce }, (_, share) => cores.filter((_, index) => index % atOnce === share));
  process.env.FIVECROP_SHARES = taken;
  process.env.FIVECROP_CORES = shares.map((share) => share.join(',')).join(' ');
  process.env.NODE_OPTIONS += ` --import ${pathToFileURL(join(import.meta.dirname, 'ownCores.mjs')).href}`;
}

/** What Linux says of this process; nothing elsewhere, or where no program gives cores to processes. */
function statusOfProcess() {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

/** A folder that is there until the tests have run. */
function temporaryFolder(prefix) {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** As many files as this machine has cores, which have the tests of all of them run together. */
function shareOut(files) {
  const shares = temporaryFolder('fivecrop-unit-tests-');
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
