import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { mostClasses } from '../../../src/protocol/bounded.ts';
import type { DataReport } from '../../../src/protocol/dataReport.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { listRuns } from '../../../src/runs/list.ts';
import { runTitle } from '../../../src/protocol/runTitle.ts';
import { checkRunName, defaultRunName, runNameOf } from '../../../src/runs/name.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { createRunFolder, reopenRunFolder } from '../../../src/runs/runFolder.ts';
import { createRunSession } from '../../../src/ml/training/run/runSession.ts';
import { allEvents } from './allEvents.ts';

const now = '2026-01-02T03:04:05.000Z';
const log = (message: string) => ({ event: 'log', time: now, level: 'info', message }) as const;

function recordOf(state: RunRecord['state'], pid = process.pid): Omit<RunRecord, 'version' | 'name' | 'updated'> {
  const network = { kind: 'architecture', name: 'ConvNet1' } as const;
  return {
    created: now,
    state,
    config: trainingConfigSchema.parse({ data: 'data', network }),
    environment: { fivecrop: '0.1.0', node: process.version, platform: process.platform, fallbacks: [] },
    process: { pid, started: new Date().toISOString() },
  };
}

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-runs-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('runs of the same name get folders of their own, also when they start at once', async (context) => {
  const out = await temporaryFolder(context);
  const folders = await Promise.all([1, 2, 3].map(() => createRunFolder(out, 'a run', recordOf('running'))));
  assert.deepEqual(folders.map(({ name }) => name).sort(), ['a run', 'a run-2', 'a run-3']);
  for (const { path, name } of folders) assert.equal((await readRunRecord(path)).name, name);
});

test('a name that no folder can have on some system is refused', () => {
  for (const name of ['', '..', 'a/b', 'a\\b', 'NUL', 'com1.txt', 'ends.', '.hidden', 'a:b', 'a\nb', 'x'.repeat(101)]) {
    assert.throws(() => checkRunName(name), UserError, JSON.stringify(name));
  }
  checkRunName(defaultRunName('ConvNet2', 'scratch'));
  assert.equal(defaultRunName('my net:v2', 'head'), 'my_net_v2-head');
});

test('a run is named for the file of its settings, if a folder can have that name', () => {
  assert.equal(runNameOf('/data/sgd.fivecrop.json'), 'sgd');
  assert.equal(runNameOf('slow start.json'), 'slow start');
  assert.equal(runNameOf('.fivecrop.json'), undefined);
});

test('the name of a run that was given none is read without its signs, any other as it is', () => {
  assert.equal(runTitle('densenet169-head'), 'densenet169 head');
  assert.equal(runTitle('densenet169-head-3'), 'densenet169 head 3');
  assert.equal(runTitle('mobilenet_v2_1.0_224-top-2026-11-28'), 'mobilenet_v2_1.0_224 top 2026-11-28');
  assert.equal(runTitle('ConvNet1-scratch-2026-11-28-2'), 'ConvNet1 scratch 2026-11-28 2');
  for (const name of ['sgd', 'sgd-2', 'my best-head', 'head', 'two-heads', 'sweep-ConvNet1-scratch', 'sweep-resnet18-head-07']) assert.equal(runTitle(name), name);
});

test('events come back in order, and a line that a crash cut off is neither read nor counted', async (context) => {
  const out = await temporaryFolder(context);
  const run = await createRunFolder(out, 'run', recordOf('running'));
  run.append(log('one'));
  run.append(log('two'));
  assert.equal(run.events, 2);
  appendFileSync(join(run.path, 'metrics.jsonl'), '{"event":"log","ti');
  assert.deepEqual(await allEvents(run.path), [log('one'), log('two')]);
  await run.update({ state: 'stopped' });
  await run.close();
  const again = await reopenRunFolder(run.path);
  assert.equal(again.events, 2);
  again.append(log('three'));
  assert.deepEqual(await allEvents(run.path), [log('one'), log('two'), log('three')]);
});

test('a record is rewritten whole and leaves no temporary file', async (context) => {
  const out = await temporaryFolder(context);
  const run = await createRunFolder(out, 'run', recordOf('preparing'));
  await run.update({ state: 'running', progress: { step: 1, totalSteps: 2, epoch: 0.5, stepsPerEpoch: 2 } });
  const record = await readRunRecord(run.path);
  assert.equal(record.state, 'running');
  assert.equal(record.progress?.step, 1);
  assert.deepEqual((await readdir(run.path)).sort(), ['checkpoints', 'metrics.jsonl', 'run.json', 'run.lock']);
  await run.close();
  assert.deepEqual((await readdir(run.path)).sort(), ['checkpoints', 'metrics.jsonl', 'run.json']);
});

test('a live run whose process is gone is listed as broken off, and others as they are', async (context) => {
  const out = await temporaryFolder(context);
  await createRunFolder(out, 'live', recordOf('running'));
  await createRunFolder(out, 'gone', recordOf('running', 2 ** 22 + 12_345));
  await createRunFolder(out, 'done', recordOf('finished', 2 ** 22 + 12_345));
  const old = recordOf('running');
  await createRunFolder(out, 'before the last start of the machine', {
    ...old,
    process: { pid: process.pid, started: '2001-01-01T00:00:00.000Z' },
  });
  const { runs, unreadable } = await listRuns(out);
  assert.deepEqual(unreadable, []);
  assert.deepEqual(Object.fromEntries(runs.map(({ record, state }) => [record.name, state])), {
    live: 'running',
    gone: 'broken off',
    done: 'finished',
    'before the last start of the machine': 'broken off',
  });
  await assert.rejects(reopenRunFolder(join(out, 'live')), /still training/u);
});

test('records that are damaged or newer are listed with a reason and hide no other run', async (context) => {
  const out = await temporaryFolder(context);
  await createRunFolder(out, 'good', recordOf('finished'));
  const damaged = await createRunFolder(out, 'damaged', recordOf('finished'));
  await writeFile(join(damaged.path, 'run.json'), '{');
  const newer = await createRunFolder(out, 'newer', recordOf('finished'));
  const record = JSON.parse(await readFile(join(newer.path, 'run.json'), 'utf8')) as object;
  await writeFile(join(newer.path, 'run.json'), JSON.stringify({ ...record, version: 2 }));
  const { runs, unreadable } = await listRuns(out);
  assert.deepEqual(runs.map(({ record }) => record.name), ['good']); // prettier-ignore
  assert.equal(unreadable.length, 2);
  assert.match(unreadable.map(({ reason }) => reason).join('\n'), /newer Fivecrop/u);
  assert.deepEqual(await listRuns(join(out, 'nothing here')), { runs: [], unreadable: [] });
});

test('a folder that vanishes while a run writes is told as a sentence and does not come back', async (context) => {
  const out = await temporaryFolder(context);
  const run = await createRunFolder(out, 'run', recordOf('running'));
  await rm(run.path, { recursive: true });
  assert.throws(() => run.append(log('one')), (error) => error instanceof UserError && error.message.includes(`${run.path} was moved, deleted or replaced`)); // prettier-ignore
  await assert.rejects(run.update({ state: 'failed' }), /was moved, deleted or replaced/u);
  await assert.rejects(run.saving(() => Promise.reject(new Error('written'))), /was moved, deleted or replaced/u);
  await run.close();
  assert.deepEqual(await readdir(out), []);
});

test('a picture that lies in the data a hundred thousand times does not swell the record', async (context) => {
  const files = Array.from({ length: 100_000 }, (_, index) => `train/class/image_${index}.jpg`);
  const copies = { files, same: 'file' as const, acrossSplits: true, acrossClasses: false };
  const report: DataReport = {
    data: '/data',
    splitBy: 'folders',
    classes: [],
    images: { train: files.length, valid: 0, test: 0 },
    undecodable: [],
    duplicates: Array.from({ length: 300 }, () => copies),
    findings: [{ level: 'warning', what: '300 images lie in more than one split.' }],
  };
  const folder = await createRunFolder(await temporaryFolder(context), 'run', recordOf('running'));
  await createRunSession(folder, undefined).setData(report);
  const { data } = await readRunRecord(folder.path);
  assert.deepEqual({ ...data, duplicates: [] }, { ...report, classCount: 0, duplicates: [] });
  assert.deepEqual(data?.duplicates[0]?.files, files.slice(0, 20));
  const { length } = await readFile(join(folder.path, 'run.json'));
  assert.ok(length < 200_000, `${length} bytes`);
});

test('the record of a run of a hundred thousand classes can be read, and says how many there are', async (context) => {
  const name = 'a name as long as those of plants and animals can be'.padEnd(200, '.');
  const classes = Array.from({ length: mostClasses }, (_, index) => ({
    ...{ index, folder: `${name} ${index}`, name: `${name} ${index}` },
    ...{ train: 100, valid: 10, test: 10 },
  }));
  const images = { train: 100 * mostClasses, valid: 10 * mostClasses, test: 10 * mostClasses };
  const report: DataReport = { data: '/data', splitBy: 'seed', classes, images, undecodable: [], duplicates: [], findings: [] }; // prettier-ignore
  const folder = await createRunFolder(await temporaryFolder(context), 'run', recordOf('running'));
  await createRunSession(folder, undefined).setData(report);
  const { data } = await readRunRecord(folder.path);
  assert.equal(data?.classCount, mostClasses);
  assert.deepEqual(data.classes[1], classes[1]);
});

test('a hundred thousand broken files do not swell the record', async (context) => {
  const undecodable = Array.from({ length: 100_000 }, (_, index) => ({ file: `a/${index}.jpg`, reason: 'cut short' }));
  const images = { train: 200_000, valid: 0, test: 0 };
  const report: DataReport = { data: '/data', splitBy: 'seed', classes: [], images, undecodable, duplicates: [], findings: [] }; // prettier-ignore
  const folder = await createRunFolder(await temporaryFolder(context), 'run', recordOf('running'));
  await createRunSession(folder, undefined).setData(report);
  const { data } = await readRunRecord(folder.path);
  assert.deepEqual(data, { ...report, classCount: 0, undecodable: undecodable.slice(0, 1000) });
  const { length } = await readFile(join(folder.path, 'run.json'));
  assert.ok(length < 200_000, `${length} bytes`);
});
