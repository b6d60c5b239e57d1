// Gets TensorFlow's native library for the package that is installed: `npm run tensorflow`. It is not done at install,
// because it comes from outside the registry (storage.googleapis.com) and is 300 to 400 MB large. That is TensorFlow 2.9.1
// of 2022, whose CUDA 11.2 does not know newer cards. `npm run tensorflow -- --from FOLDER` builds the package's binding on
// Linux against a newer library that is there already: FOLDER is `tensorflow` among the packages of a Python that has it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

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

function download() {
  console.log(
    `Downloading the native library of ${name} ${version}: TensorFlow 2.9.1 of 2022. For a GPU it needs CUDA 11.2 and cuDNN 8.1, which know cards up to compute capability 8.6.`,
  );
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
}

/** Compiles the binding's two files, which use TensorFlow's C API alone, with the headers that lie beside the library. */
function buildAgainst(tensorflow) {
  const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
  const headers = [join(dirname(process.execPath), '..', 'include', 'node'), '/usr/include/node'];
  const nodeHeaders = headers.find((place) => existsSync(join(place, 'node_api.h')));
  const compiler = process.env.CXX ?? 'c++';
  if (process.platform !== 'linux') fail('--from works on Linux only.');
  if (!libraries.every((file) => existsSync(join(tensorflow, file))))
    fail(`${tensorflow} is not the folder of a TensorFlow for Python: ${libraries.join(' and ')} lie there.`);
  if (nodeHeaders === undefined)
    fail('The headers of Node.js are missing: take a Node.js with its include folder, as nodejs.org has it.');
  console.log(`Building the binding of ${name} ${version} against ${tensorflow} ...`);
  // N-API 8 is the newest that the package looks for.
  const target = join(folder, 'lib', 'napi-v8');
  mkdirSync(target, { recursive: true });
  const run = spawnSync(
    compiler,
    [
      ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'],
      ...[nodeHeaders, join(tensorflow, 'include'), folder].map((place) => `-I${place}`),
      ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(folder, 'binding', file)),
      ...[`-L${tensorflow}`, `-Wl,-rpath,${tensorflow}`, ...libraries.map((file) => `-l:${file}`)],
      ...['-o', join(target, 'tfjs_binding.node')],
    ],
    { stdio: 'inherit' },
  );
  if (run.error) fail(`${compiler} cannot be run: install a C++ compiler.`);
  if (run.status !== 0) fail('The binding could not be built; nothing else is affected.');
}

const { values: given } = parseArgs({ options: { from: { type: 'string' } } });
if (given.from === undefined) download();
else buildAgainst(resolve(given.from));

const probe = `
  const util = require('node:util');
  util.isArray ??= Array.isArray;
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  const backend = require(process.argv[1]).backend();
  const version = String(backend.binding.TF_Version);
  const wants = version.startsWith('2.9.') ? 'CUDA 11.2 and cuDNN 8.1' : 'the CUDA and cuDNN that it was built for';
  console.log(backend.isUsingGpuDevice ? 'It computes on the GPU.' : 'It found no GPU (TensorFlow ' + version + ' needs ' + wants + ') and computes on the CPU.');
`;
try {
  const answer = execFileSync(process.execPath, ['-e', probe, resolver.resolve(name)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  console.log(`${name} ${version} works. ${answer.trim()}`);
} catch {
  fail(
    `${name} ${version} is there but does not load with Node ${process.versions.node} on this machine; fivecrop devices says why.`,
  );
}
