import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRunCatalogue, runFolderOf } from '../../../src/extension/trainer/runCatalogue.ts';
import { temporaryFolder, writeRun } from './storedRun.ts';

test('a thousand runs are listed within two seconds, the newest first, and a second look finds nothing new', async (context) => {
  const parent = await temporaryFolder(context);
  const names = Array.from({ length: 1000 }, (_, index) => `run-${index}`);
  const day = (index: number) => new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString();
  await Promise.all(names.map((name, index) => writeRun(parent, name, { created: day(index) })));
  const catalogue = createRunCatalogue();
  const begun = performance.now();
  assert.equal((await catalogue.scan([parent])).length, 1000);
  const milliseconds = performance.now() - begun;
  console.log(`1,000 runs listed in ${milliseconds.toFixed(0)} ms`);
  assert.ok(milliseconds < 2000, `took ${milliseconds} ms`);
  assert.deepEqual(
    catalogue.runs().map(({ record }) => record.name),
    names.toReversed(),
  );
  assert.deepEqual(await catalogue.scan([parent]), []);
});

test('a run whose process is killed has been broken off at the next look', async (context) => {
  const parent = await temporaryFolder(context);
  const owner = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  context.after(() => owner.kill('SIGKILL'));
  const folder = await writeRun(parent, 'live', {
    state: 'running',
    process: { pid: owner.pid ?? 0, started: new Date().toISOString() },
  });
  const catalogue = createRunCatalogue();
  await catalogue.scan([parent]);
  assert.equal(catalogue.get(folder)?.state, 'running');
  assert.deepEqual(catalogue.lookAtProcesses(), []);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  assert.deepEqual(catalogue.lookAtProcesses(), [folder]);
  assert.equal(catalogue.get(folder)?.state, 'broken off');
  assert.equal(catalogue.runs()[0]?.state, 'broken off');
});

test('records that cannot be understood are listed with the reason, and runs that vanish go', async (context) => {
  const parent = await temporaryFolder(context);
  const gone = await writeRun(parent, 'gone');
  const damaged = await writeRun(parent, 'damaged');
  const newer = await writeRun(parent, 'newer');
  await writeFile(join(damaged, 'run.json'), '{"version":1');
  await writeFile(join(newer, 'run.json'), '{"version":2}');
  const catalogue = createRunCatalogue();
  await catalogue.scan([parent, join(parent, 'no such folder')]);
  assert.deepEqual(
    catalogue.runs().map(({ folder }) => folder),
    [gone],
  );
  const reasons = new Map(catalogue.unreadable().map(({ folder, reason }) => [folder, reason]));
  assert.match(reasons.get(damaged) ?? '', /cannot be read .*delete the run or restore the file/);
  assert.match(reasons.get(newer) ?? '', /newer Fivecrop .*update/);
  await rm(gone, { recursive: true });
  assert.deepEqual(await catalogue.scan([parent]), [gone]);
  assert.deepEqual(catalogue.runs(), []);
});

test('a path is traced to its run, whatever lies between', () => {
  assert.equal(runFolderOf('/w/runs/a/checkpoints/best.safetensors', ['/w/runs']), '/w/runs/a');
  assert.equal(runFolderOf('/w/runs/a', ['/w/runs']), '/w/runs/a');
  assert.equal(runFolderOf('/w/runs', ['/w/runs']), undefined);
  assert.equal(runFolderOf('/w/other/a/run.json', ['/w/runs']), undefined);
});
