import assert from 'node:assert/strict';
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/protocol/errors.ts';
import { readBoundedJson, readBoundedText, recordLimit, withRegularFile } from '../../../src/runs/boundedFile.ts';
import { readEvents } from '../../../src/runs/events.ts';
import { listRuns } from '../../../src/runs/list.ts';
import { temporaryFolder, writeRun } from '../../unit/extension/storedRun.ts';

const skip = process.platform === 'win32' && 'Windows has no such files in folders';

const saying = (pattern: RegExp) => (error: unknown) => error instanceof UserError && pattern.test(error.message);

test('devices, sockets, folders, link loops and what is too large are refused, each with a sentence', { skip }, async (context) => {
  const folder = await temporaryFolder(context);
  const at = (name: string) => join(folder, name);
  await symlink('/dev/zero', at('device'));
  await symlink('loop', at('loop'));
  await mkdir(at('folder'));
  const server = createServer().listen(at('socket'));
  context.after(() => server.close());
  await writeFile(at('large'), '');
  await truncate(at('large'), 100 * 1024 ** 3);
  const refused = (name: string, pattern: RegExp) =>
    assert.rejects(readBoundedText(at(name), recordLimit), saying(pattern));
  await refused('device', /is a device, not a file/u);
  await refused('folder', /is a folder, not a file/u);
  await refused('socket', /is a socket, not a file/u);
  await refused('loop', /cannot be opened/u);
  await refused('nowhere', /cannot be opened/u);
  await refused('large', /has 102,400 MiB, and the record of a run at most 4 MiB/u);
  await assert.rejects(withRegularFile(at('device'), () => Promise.reject(new Error('opened'))), /is a device/u);
});

test('files of the system that have no size are empty, whatever reading them would bring', async () => {
  if (process.platform !== 'linux') return;
  assert.equal(await readBoundedText('/proc/kmsg', recordLimit), '');
});

test('brackets in brackets are refused, and end nothing', async (context) => {
  const folder = await temporaryFolder(context);
  const deep = join(folder, 'deep.json');
  await writeFile(deep, '['.repeat(1_000_000) + ']'.repeat(1_000_000));
  await assert.rejects(readBoundedJson(deep, recordLimit), /nested too deeply/u);
  const run = await writeRun(folder, 'deep');
  await writeFile(join(run, 'run.json'), '['.repeat(1_000_000) + ']'.repeat(1_000_000));
  assert.match((await listRuns(folder)).unreadable[0]?.reason ?? '', /nested too deeply/u);
});

test('a run with a device, a folder or a socket among its files is listed as unreadable, with the reason', { skip }, async (context) => {
  const parent = await temporaryFolder(context);
  const good = await writeRun(parent, 'good');
  await symlink('/dev/zero', join(await writeRun(parent, 'curve'), 'metrics.jsonl'));
  const record = await writeRun(parent, 'record');
  await rm(join(record, 'run.json'));
  await symlink('/dev/zero', join(record, 'run.json'));
  const { runs, unreadable } = await listRuns(parent);
  assert.deepEqual(runs.map(({ folder }) => folder).sort(), [good]);
  assert.equal(unreadable.length, 2);
  for (const { reason } of unreadable) assert.match(reason, /(?:metrics\.jsonl|run\.json) is a device, not a file/u);
});

test('a line that is longer than any event ends the reading with a sentence, after what came before it', async (context) => {
  const folder = await temporaryFolder(context);
  const file = join(folder, 'metrics.jsonl');
  await writeFile(file, '{"event":"state","time":"now","state":"running"}\n');
  await truncate(file, 3 * 1024 ** 3);
  const heard: number[] = [];
  const read = async () => {
    for await (const part of readEvents(folder)) heard.push(part.events.length);
  };
  const before = process.memoryUsage().arrayBuffers;
  await assert.rejects(read(), saying(/has a line of more than 1024 kB at byte 49, which is not an event/u));
  assert.deepEqual(heard, [1]);
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 ** 2);
});
