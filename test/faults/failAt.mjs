// Preloaded into a trainer (`node --import`): counts what it does to files below FIVECROP_FAULT_FOLDER, and at the operation
// FIVECROP_FAULT_AT ends it by SIGKILL before the operation (`kill`), in the middle of a write (`torn`), or has it and all
// later ones fail as on a full disk (`ENOSPC`, or another code). Without FIVECROP_FAULT_AT it writes what it counted to FIVECROP_FAULT_LIST.
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';
import process from 'node:process';

const {
  FIVECROP_FAULT_FOLDER: folder = '',
  FIVECROP_FAULT_AT: at,
  FIVECROP_FAULT_KIND: kind = 'kill',
  FIVECROP_FAULT_LIST: list,
} = process.env;
const target = at === undefined ? Infinity : Number(at);
const operations = [];
const { writeSync, appendFileSync } = fs;
const promises = fs.promises;

const isBelow = (path) => typeof path === 'string' && (resolve(path) + sep).startsWith(folder + sep);

function die() {
  process.kill(process.pid, 'SIGKILL');
  // The signal may take a moment to arrive.
  for (;;);
}

/** Counts an operation. `tear` does half of it. */
function count(name, path, tear) {
  if (!isBelow(path)) return;
  operations.push(`${name} ${resolve(path).slice(folder.length + 1)}`);
  const number = operations.length;
  if (number < target) return;
  if (kind === 'kill') die();
  if (kind === 'torn') {
    tear?.();
    die();
  }
  if (tear !== undefined || ['open', 'mkdir', 'link', 'writeFile', 'fsync'].includes(name)) {
    throw Object.assign(new Error(`${kind}: no room, ${name}`), { code: kind, syscall: name });
  }
}

/** Wraps a function of a module whose first argument is a path; `isCounted` looks at the arguments. */
function wrap(module, name, label, isCounted = () => true) {
  const original = module[name];
  module[name] = function (...args) {
    const asynchronous = module === promises;
    try {
      if (isCounted(args)) count(label, args[0] instanceof URL ? args[0].pathname : args[0]);
    } catch (error) {
      if (!asynchronous) throw error;
      return Promise.reject(error);
    }
    return original.apply(this, args);
  };
}

const writes = (flags) =>
  typeof flags === 'number'
    ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0
    : typeof flags === 'string' && flags !== 'r';

/** What file a descriptor or a handle is of. */
const paths = new Map();
const handles = new WeakMap();

wrap(fs, 'openSync', 'open', ([, flags]) => writes(flags));
wrap(promises, 'open', 'open', ([, flags]) => writes(flags));
// Not `utimes`: signs of life, which come by the clock.
for (const name of ['rename', 'link', 'mkdir', 'rm', 'unlink', 'truncate', 'copyFile', 'writeFile']) {
  wrap(promises, name, name);
}

const { openSync } = fs;
fs.openSync = (path, ...rest) => {
  const descriptor = openSync(path, ...rest);
  paths.set(descriptor, path);
  return descriptor;
};
fs.writeSync = (descriptor, bytes, ...rest) => {
  const half = () => writeSync(descriptor, bytes, 0, Math.floor(bytes.length / 2));
  if (ArrayBuffer.isView(bytes)) count('write', paths.get(descriptor), half);
  return writeSync(descriptor, bytes, ...rest);
};
const { fsyncSync } = fs;
fs.fsyncSync = (descriptor) => {
  count('fsync', paths.get(descriptor));
  return fsyncSync(descriptor);
};

const { open: openPromise } = promises;
promises.open = async (path, ...rest) => {
  const handle = await openPromise(path, ...rest);
  handles.set(handle, path);
  return handle;
};

const probe = await open(new URL(import.meta.url));
const prototype = Object.getPrototypeOf(probe);
await probe.close();
const { write, writeFile, sync } = prototype;
prototype.write = async function (bytes, ...rest) {
  count('write', handles.get(this), () => writeSync(this.fd, bytes, 0, Math.floor(bytes.byteLength / 2)));
  return write.call(this, bytes, ...rest);
};
prototype.writeFile = async function (data, ...rest) {
  const bytes = Buffer.from(data);
  count('write', handles.get(this), () => writeSync(this.fd, bytes, 0, Math.floor(bytes.length / 2)));
  return writeFile.call(this, data, ...rest);
};
prototype.sync = async function () {
  count('fsync', handles.get(this));
  return sync.call(this);
};
syncBuiltinESMExports();

if (list !== undefined) process.on('exit', () => appendFileSync(list, operations.join('\n')));
