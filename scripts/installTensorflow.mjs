// Downloads TensorFlow's native library for the package that is installed: `npm run tensorflow`. It is not done at
// install, because it comes from outside the registry (storage.googleapis.com) and is 300 to 400 MB large.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';

const resolver = createRequire(import.meta.url);

function folderOf(name) {
  try {
    return dirname(resolver.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** Every `node_modules/.bin` from a folder upwards: the package's script calls node-pre-gyp by its bare name. */
function commandFolders(folder) {
  const parent = dirname(folder);
  return parent === folder ? [] : [join(folder, 'node_modules', '.bin'), ...commandFolders(parent)];
}

function bindingIn(folder) {
  const lib = join(folder, 'lib');
  return (
    existsSync(lib) && readdirSync(lib, { recursive: true }).some((file) => String(file).endsWith('tfjs_binding.node'))
  );
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

const name = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'].find((candidate) => folderOf(candidate));
if (!name)
  fail(
    'Neither @tensorflow/tfjs-node-gpu nor @tensorflow/tfjs-node is installed: run npm install without --omit=optional first.',
  );
const folder = folderOf(name);
const { version, scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const [command, script, ...options] = (scripts?.install ?? '').split(' ');
if (command !== 'node') fail(`${name} ${version} has no install script that we know how to run.`);

console.log(`Downloading the native library of ${name} ${version} ...`);
const path = [...commandFolders(folder), process.env.PATH ?? ''].join(delimiter);
const run = spawnSync(process.execPath, [script, ...options], {
  cwd: folder,
  stdio: 'inherit',
  env: { ...process.env, PATH: path },
});
// The package's script may end with 0 although its download failed, so the outcome is looked at.
if (run.status !== 0 || !bindingIn(folder)) {
  fail(
    `The native library of ${name} could not be downloaded or built; nothing else is affected, and --engine tensorflow goes on in plain JavaScript. ` +
      'It comes from storage.googleapis.com: behind a proxy or with a mirror, set HTTPS_PROXY or TFJS_NODE_CDN_STORAGE and run npm run tensorflow again.',
  );
}

const probe = `
  const util = require('node:util');
  util.isArray ??= Array.isArray;
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  const backend = require(process.argv[1]).backend();
  console.log(backend.isUsingGpuDevice ? 'It computes on the GPU.' : 'It found no GPU (it needs CUDA 11.2 and cuDNN 8.1) and computes on the CPU.');
`;
try {
  const answer = execFileSync(process.execPath, ['-e', probe, resolver.resolve(name)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  console.log(`${name} ${version} works. ${answer.trim()}`);
} catch {
  fail(
    `${name} ${version} was downloaded but does not load with Node ${process.versions.node} on this machine; fivecrop devices says why.`,
  );
}
