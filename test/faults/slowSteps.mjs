// Preloaded into a trainer (`node --import`): as long as there is a file FIVECROP_SLOW, it sleeps after each write to its
// events, for as many milliseconds as the file says or until it is removed, so that there is time to disturb a run of few steps.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const { FIVECROP_SLOW: file = '' } = process.env;
const paths = new Map();
const { existsSync, openSync, readFileSync, writeSync } = fs;
function sleep(milliseconds) {
  const end = Date.now() + milliseconds;
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  for (let left = milliseconds; left > 0 && existsSync(file); left = end - Date.now())
    Atomics.wait(nobody, 0, 0, Math.min(left, 100));
}
fs.openSync = (path, ...rest) => {
  const descriptor = openSync(path, ...rest);
  paths.set(descriptor, String(path));
  return descriptor;
};
fs.writeSync = (descriptor, ...rest) => {
  const written = writeSync(descriptor, ...rest);
  if (paths.get(descriptor)?.endsWith('metrics.jsonl') && existsSync(file)) sleep(Number(readFileSync(file, 'utf8')));
  return written;
};
syncBuiltinESMExports();
