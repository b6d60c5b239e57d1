import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRunRecord } from '../../../src/runs/record.ts';
import { createRunCatalogue, runFolderOf } from '../../../src/extension/trainer/runCatalogue.ts';
import { temporaryFolder, writeRun } from './storedRun.ts';

test('a thousand runs are listed, the newest first, and a second look finds nothing new', async (context) => {
  const parent = await temporaryFolder(context);
  const names = Array.from({ length: 1000 }, (_, index) => `run-${index}`);
  const day = (index: number) => new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString();
  await Promise.all(names.map((name, index) => writeRun(parent, name, { created: day(index) })));
  const catalogue = createRunCatalogue();
  assert.equal((await catalogue.scan([parent])).length, 1000);
  assert.deepEqual(
    catalogue.runs().map(({ record }) => record.name),
    names.toReversed(),
  );
  assert.deepEqual(await catalogue.scan([parent]), []);
});

test('a slow reading of a run does not undo what a later one found', async (context) => {
  const parent = await temporaryFolder(context);
  const owner = { pid: process.pid, started: new Date().toISOString() };
  const folder = await writeRun(parent, 'quick', { state: 'preparing', process: owner });
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  let readings = 0;
  const catalogue = createRunCatalogue(async (path) => {
    const record = await readRunRecord(path);
    if (readings++ === 0) await held;
    return record;
  });
  const first = catalogue.read(folder);
  await writeRun(parent, 'quick', { state: 'finished', process: owner, updated: '2026-01-02T03:05:00.000Z' });
  const second = catalogue.read(folder);
  await new Promise((resolve) => setTimeout(resolve, 20));
  letGo();
  await Promise.all([first, second]);
  assert.equal(catalogue.get(folder)?.state, 'finished');
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
  assert.match(reasons.get(damaged) ?? '', /not valid JSON. Correct, restore or delete it/);
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
