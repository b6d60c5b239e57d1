import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { allEvents } from '../../unit/runs/allEvents.ts';
import { drawTinyDataset, temporaryFolder } from '../../unit/training/tinyDataset.ts';
import { fivecrop } from '../cli/runCommand.ts';
import { begin } from './begin.ts';
import { curveOf } from './curveOf.ts';
import { endLastFirst, type Ending, type LoopbackHost, startLoopbackHost, whyNoServer } from './loopbackSshd.ts';
import { until } from './until.ts';

const missing = await whyNoServer();
const options = missing === undefined ? {} : { skip: missing };

/** Characters that a shell reads more into, in the name of a folder of images. */
const awkward = `it's $(touch pwned) "x"; touch pwned & -rf`;

const settings = {
  ...{ network: { kind: 'architecture', name: 'ConvNet1' }, method: 'scratch', device: 'cpu', engine: 'onnx' },
  ...{ imageSize: 32, resize: 36, hidden: [8], epochs: 4, batchSize: 5, validateEvery: 10 },
};

interface Workplace {
  readonly ending: Ending;
  readonly folder: string;
  readonly data: string;
  readonly far: LoopbackHost;
  readonly env: Readonly<Record<string, string>>;
  readonly run: (...args: readonly string[]) => ReturnType<typeof fivecrop>;
}

async function workplace(t: TestContext): Promise<Workplace> {
  const ending = endLastFirst(t);
  const folder = await temporaryFolder(ending);
  const far = await startLoopbackHost(ending, await mkdtempIn(folder));
  const data = join(folder, awkward);
  await rename(await drawTinyDataset(folder), data);
  await writeFile(join(folder, 'tiny.fivecrop.json'), JSON.stringify({ ...settings, data }));
  const env = { ...far.env, FIVECROP_LOOK_INTERVAL: '50' };
  return { ending, folder, data, far, env, run: (...args) => fivecrop(args, { cwd: folder, env, signal: t.signal }) };
}

async function mkdtempIn(folder: string): Promise<string> {
  const place = join(folder, 'server');
  await mkdir(place);
  return place;
}

test('runs train on another host, and their folders are copied back', { ...options, timeout: 600_000 }, async (t) => {
  const { ending, folder, data, far, env, run } = await workplace(t);
  const unbroken = join(folder, 'runs', 'here');

  await t.test('names that a shell, ssh or rsync would read more into are refused or are only names', async () => {
    const refused = [
      ['ssh:-oProxyCommand=touch pwned', 2, /cannot be a host/u],
      ['ssh:far;touch pwned', 2, /cannot be a host/u],
      ['ssh', 2, /Name a host/u],
      ['ssh:keyless', 1, /keyless does not let this user in without a password: .*ssh-copy-id keyless/u],
      ['ssh:unknown', 1, /The host key of unknown is not known/u],
    ] as const;
    for (const [to, expected, sentence] of refused) {
      const { code, stderr } = await run('submit', 'tiny.fivecrop.json', '--to', to);
      assert.equal(code, expected, stderr);
      assert.match(stderr, sentence);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    }
    assert.ok(!existsSync(join(folder, 'pwned')));
    assert.deepEqual(existsSync(join(folder, 'runs')) ? await readdir(join(folder, 'runs')) : [], []);
  });

  await t.test('a run becomes one as if it were trained here, though the connection breaks', async () => {
    const here = await run('train', '--config', 'tiny.fivecrop.json', '--name', 'here');
    assert.equal(here.code, 0, here.stderr);
    const name = "it's $(id)";
    const copied = join(folder, 'runs', name);
    // There is time to look at it, and to break the connection.
    await writeFile(far.slow, 'hold 10');
    const args = ['submit', 'tiny.fivecrop.json', '--to', 'ssh:far', '--follow', '--name', name];
    const following = begin(ending, args, folder, env);
    await until(() => Promise.resolve(existsSync(join(copied, '.remote', 'copy'))), following.said);
    await far.stop();
    await rm(far.slow);
    await until(async () => (await farRecord(far.home)).state === 'finished');
    await until(() => Promise.resolve(following.said().includes('trying again')), following.said);
    await far.start();
    assert.equal(await following.ended, 0, following.said());
    for (const line of [
      /Bringing Node\.js v.* to far/u,
      /Bringing the command to far/u,
      /far cannot be reached.*trying again/u,
    ])
      assert.match(following.said(), line);
    assert.deepEqual(await curveOf(copied), await curveOf(unbroken));
    const [record, wanted] = [await readRunRecord(copied), await readRunRecord(unbroken)];
    assert.deepEqual([record.config.data, record.state, record.best], [data, 'finished', wanted.best]);
    // Nothing in it names folders of the host, nothing was left behind, and no shell ran a name.
    for (const file of ['run.json', 'metrics.jsonl', 'split.json'])
      assert.ok(!(await readFile(join(copied, file), 'utf8')).includes(far.home), file);
    assert.ok(!existsSync(join(copied, '.remote')));
    for (const place of [folder, far.home]) assert.ok(!(await readdir(place)).includes('pwned'), place);
    await removeJobs(far.home);
  });

  await t.test('a run that dies on its host is lost, and goes on there to the curve of one that did not', async () => {
    const place = join(folder, 'runs', 'there');
    await writeFile(far.slow, 'hold 10');
    const submitted = await run('submit', 'tiny.fivecrop.json', '--to', 'ssh:far', '--name', 'there');
    assert.equal(submitted.code, 0, submitted.stderr);
    assert.doesNotMatch(submitted.stderr, /Bringing (?:Node|the command)/u);
    // One that is only starting pauses before its first step.
    await until(async () => (await farSteps(far.home)) === 10);
    const paused = await run('submit', 'pause', place);
    assert.equal(paused.code, 0, paused.stderr);
    await until(async () =>
      (await readFile(await farFile(far.home, 'metrics.jsonl'), 'utf8')).includes('Pausing before'),
    );
    await rm(far.slow);
    await until(async () => (await farRecord(far.home)).state === 'paused');
    const waiting = await run('submit', 'status', place);
    assert.match(
      waiting.stdout,
      /there +not followed; last heard of far just now: paused .*it trains on far/u,
      waiting.stderr,
    );
    const { pid } = (await farRecord(far.home)).process ?? {};
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGKILL');
    const lost = await run('submit', 'status', place);
    assert.match(lost.stdout, /there +lost .*its process on far ended without a word/u, lost.stderr);
    await removeJobs(far.home);
    const resumed = await run('submit', 'resume', place, '--follow', '--to', 'ssh:far');
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.deepEqual(await curveOf(place), await curveOf(unbroken));
    assert.equal((await readRunRecord(place)).state, 'finished');
  });
});

/** What a job that has just ended still writes may come in between. */
function removeJobs(home: string): Promise<void> {
  return rm(join(home, '.cache/fivecrop/remote/jobs'), { recursive: true, maxRetries: 10 });
}

/** The record of the only run on the host; there is none before it has been brought. */
async function farRecord(home: string): Promise<RunRecord> {
  return readRunRecord(await farFile(home, ''));
}

/** Steps that the only run on the host has taken. */
async function farSteps(home: string): Promise<number> {
  const events = await allEvents(await farFile(home, ''));
  return events.filter(({ event }) => event === 'step').length;
}

async function farFile(home: string, name: string): Promise<string> {
  const jobs = join(home, '.cache/fivecrop/remote/jobs');
  const [job = ''] = await readdir(jobs);
  return join(jobs, job, 'runs', '1', name);
}
