// Preloaded into a trainer (`node --import`), so that there is time to disturb a run of few steps. As long as there is a file
// FIVECROP_SLOW, the trainer does as it says, each time anew: `200` sleeps for so many milliseconds after each write to the
// events, `hold 6` publishes no checkpoint once six steps are taken: until then the run waits, and hears what it is asked for.
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

const { FIVECROP_SLOW: file = '' } = process.env;
const paths = new Map();
const { openSync, readFileSync, writeSync } = fs;
const { rename } = promises;
let steps = 0;
function wish() {
  try {
    const [, word, number] = /^(hold )?(\d+)$/u.exec(readFileSync(file, 'utf8').trim()) ?? [];
    return word ? { holdFrom: Number(number) } : { sleep: Number(number ?? 0) };
  } catch {
    return {};
  }
}
function countSteps(lines) {
  for (const [, step] of lines.matchAll(/^\{"event":"step",.*?"step":(\d+)/gmu)) steps = Number(step);
}
fs.openSync = (path, ...rest) => {
  const descriptor = openSync(path, ...rest);
  paths.set(descriptor, String(path));
  return descriptor;
};
fs.writeSync = (descriptor, content, ...rest) => {
  const written = writeSync(descriptor, content, ...rest);
  if (!paths.get(descriptor)?.endsWith('metrics.jsonl')) return written;
  countSteps(content.toString());
  const end = Date.now() + (wish().sleep ?? 0);
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  for (let left = end - Date.now(); left > 0 && wish().sleep !== undefined; left = end - Date.now())
    Atomics.wait(nobody, 0, 0, Math.min(left, 100));
  return written;
};
promises.rename = async (from, to) => {
  const isCheckpoint = /[\\/]checkpoints[\\/]/u.test(String(to));
  while (isCheckpoint && steps >= (wish().holdFrom ?? Infinity)) await delay(20);
  return rename(from, to);
};
syncBuiltinESMExports();
