import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import type { TrialEvent } from '../../../src/protocol/sweep.ts';
import type { RunState } from '../../../src/protocol/trainingEvents.ts';
import { isLocked } from '../../../src/runs/lock.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { readTrialEvents } from '../../../src/runs/sweep.ts';
import { allEvents } from '../../unit/runs/allEvents.ts';
import { drawTinyDataset, temporaryFolder } from '../../unit/training/tinyDataset.ts';
import { fivecrop } from '../cli/runCommand.ts';
import { begin } from './begin.ts';
import { curveOf } from './curveOf.ts';
import { endLastFirst, type Ending, type LoopbackHost, startLoopbackHost, whyNoServer } from './loopbackSshd.ts';
import { until } from './until.ts';

const missing = await whyNoServer();
const options = missing === undefined ? {} : { skip: missing };

const space = {
  ...{ network: { kind: 'architecture', name: 'ConvNet1' }, method: 'scratch', device: 'cpu', engine: 'onnx' },
  ...{ imageSize: 32, resize: 36, hidden: [8], epochs: 2, batchSize: 5, validateEvery: 4 },
  ...{ learningRate: [0.001, 0.004], sampler: 'grid', halving: { first: 1, factor: 2 } },
};

const remote = '.cache/fivecrop/remote';

/** Has a run wait before its first checkpoint, the fourth step of the five of its first epoch behind it, until that is removed. */
const hold = 'hold 4';

interface Workplace {
  readonly ending: Ending;
  readonly folder: string;
  readonly data: string;
  readonly far: LoopbackHost;
  readonly near: LoopbackHost;
  readonly env: Readonly<Record<string, string>>;
  readonly run: (...args: readonly string[]) => ReturnType<typeof fivecrop>;
}

async function workplace(t: TestContext): Promise<Workplace> {
  const ending = endLastFirst(t);
  const folder = await temporaryFolder(ending);
  const places = ['far', 'near'].map((name) => join(folder, name));
  for (const place of places) await mkdir(place);
  const [first = '', second = ''] = places;
  const far = await startLoopbackHost(ending, first, { hasNode: true });
  const near = await startLoopbackHost(ending, second, { name: 'near', beside: far, hasNode: true });
  const env = { ...near.env, FIVECROP_LOOK_INTERVAL: '200' };
  const data = await drawTinyDataset(folder);
  await writeFile(join(folder, 'rates.fivecrop.json'), JSON.stringify(space));
  return {
    ending,
    folder,
    data,
    far,
    near,
    env,
    run: (...args) => fivecrop(args, { cwd: folder, env, signal: t.signal }),
  };
}

test(
  'the trials of a sweep train on other hosts, and come to the same whatever breaks off',
  { ...options, timeout: 600_000 },
  async (t) => {
    const { ending, folder, data, far, near, env, run } = await workplace(t);
    const hosts = [far, near];
    const sweep = join(folder, 'runs', 'there');

    await t.test(
      'none is lost or trained twice, though the process of the sweep is killed and a connection breaks',
      async () => {
        for (const { slow } of hosts) await writeFile(slow, hold);
        const args = ['sweep', 'rates.fivecrop.json', data, '--to', 'ssh:far,near', '--name', 'there'];
        const killed = begin(ending, args, folder, env);
        const copied = async (trial: number) => (await stepsOf(join(folder, 'runs', `there-${trial}`))) === 4;
        await until(async () => (await copied(1)) && (await copied(2)), killed.said);
        for (const host of hosts) assert.equal(await trainingOn(host), 1);
        process.kill(killed.child.pid ?? 0, 'SIGKILL');
        await killed.ended;
        const status = await run('sweep', 'status', sweep);
        assert.match(status.stdout, /not followed; last heard of (?:far|near)/u, status.stderr);
        for (const host of hosts) await host.stop();
        const away = await run('sweep', 'resume', sweep);
        assert.deepEqual([away.code, /far cannot be reached: .*refused/u.test(away.stderr)], [1, true], away.stderr);
        for (const host of hosts) await host.start();
        const resumed = begin(ending, ['sweep', 'resume', sweep, '--json'], folder, env);
        // The trials that went on meanwhile are followed again.
        const isFollowed = (trial: number) => isLocked(join(folder, 'runs', `there-${trial}`, 'run.lock'));
        await until(() => Promise.resolve(isFollowed(1) && isFollowed(2)), resumed.said);
        await far.stop();
        await until(() => Promise.resolve(resumed.said().includes('trying again')), resumed.said);
        for (const { slow } of hosts) await rm(slow);
        await far.start();
        assert.equal(await resumed.ended, 0, resumed.said());
        assert.match(resumed.said(), /far cannot be reached: .*trying again[\s\S]*Connected again/u);

        for (const trial of [1, 2]) {
          const place = join(folder, 'runs', `there-${trial}`);
          assert.ok(!existsSync(join(place, '.remote')));
          assert.equal((await readRunRecord(place)).config.data, data);
        }
        const used = await Promise.all(hosts.map((host) => readdir(join(host.home, remote, 'jobs'))));
        assert.equal(used.flat().length, 2, 'a trial that went on left nothing of its first job behind');
      },
    );

    await t.test('a sweep that is stopped saves its trials, and goes on where it was', async () => {
      const place = join(folder, 'runs', 'halted');
      await writeFile(far.slow, hold);
      const args = ['sweep', 'rates.fivecrop.json', data, '--to', 'ssh:far', '--parallel', '2', '--name', 'halted'];
      const first = begin(ending, args, folder, env);
      await until(async () => (await heldOn(far)) === 2, first.said);
      const stopped = await run('sweep', 'stop', place);
      assert.equal(stopped.code, 0, stopped.stderr);
      await until(async () => (await hearing(far, 'stopping')) === 2, first.said);
      await rm(far.slow);
      assert.equal(await first.ended, 130, first.said());
      assert.equal(await trainingOn(far), 0);
      for (const trial of [1, 2]) {
        const { state, progress } = await readRunRecord(join(folder, 'runs', `halted-${trial}`));
        assert.deepEqual([state, progress?.step], ['stopped', 4]);
      }
      const resumed = await run('sweep', 'resume', place);
      assert.equal(resumed.code, 0, resumed.stderr);
      assert.doesNotMatch(resumed.stderr, /Bringing (?:Node|the command)/u);
      await requireSame(place, sweep);
      for (const trial of [1, 2]) {
        const [a = [], b = []] = await Promise.all([place, sweep].map((each) => curveOf(`${each}-${trial}`)));
        const length = Math.min(a.length, b.length);
        assert.ok(length > 4);
        assert.deepEqual(a.slice(0, length), b.slice(0, length), `trial ${trial}`);
      }
    });

    await t.test('what was brought is removed on request, and nothing that a run needs which trains', async () => {
      await writeFile(far.slow, hold);
      const name = ['--name', 'living'];
      const config = { ...space, learningRate: 0.001, data, sampler: undefined, halving: undefined };
      await writeFile(join(folder, 'one.fivecrop.json'), JSON.stringify(config));
      const submitted = await run('submit', 'one.fivecrop.json', '--to', 'ssh:far', ...name);
      assert.equal(submitted.code, 0, submitted.stderr);
      await until(
        async () => (await trainingOn(far)) === 1,
        () => '',
      );
      const stale = join(far.home, remote, 'command-0123456789abcdef');
      await mkdir(stale);
      const before = await contentOf(far);
      const listed = await run('submit', 'clean', '--to', 'ssh:far');
      assert.equal(listed.code, 0, listed.stderr);
      assert.match(listed.stderr, /things of [\d.]+ MB can be removed: add --yes/u);
      assert.deepEqual(await contentOf(far), before);
      const cleaned = await run('submit', 'clean', '--to', 'ssh:far', '--yes');
      assert.equal(cleaned.code, 0, cleaned.stderr);
      for (const line of [
        /jobs\/\w+ .*removed/u,
        /jobs\/\w+ .*stays: it trains/u,
        /data\/\w+ .*stays: a run that trains needs it/u,
      ])
        assert.match(cleaned.stdout, line);
      const { jobs, command: commands } = await contentOf(far);
      assert.deepEqual([jobs.length, commands.length, existsSync(stale)], [1, 1, false]);
      await rm(far.slow);
      const followed = await run('submit', 'follow', join(folder, 'runs', 'living'));
      assert.equal(followed.code, 0, followed.stderr);
      const again = await run('submit', 'clean', '--to', 'ssh:far', '--yes');
      assert.match(again.stdout, /data\/\w+ .*removed/u, again.stderr);
      assert.deepEqual((await contentOf(far)).jobs, []);
    });
  },
);

/** The folders of the runs that were brought to a host. */
async function runsOn({ home }: LoopbackHost): Promise<string[]> {
  const jobs = join(home, remote, 'jobs');
  return (await readdir(jobs).catch((): string[] => [])).map((job) => join(jobs, job, 'runs', '1'));
}

/** Runs that train on a host now. */
async function trainingOn(host: LoopbackHost): Promise<number> {
  const records = await Promise.all(
    (await runsOn(host)).map((run) => readRunRecord(run).catch(() => ({ state: 'preparing', process: undefined }))),
  );
  return records.filter(({ state, process: owner }) => owner !== undefined && state === 'running').length;
}

/** Runs on a host that have come to where they are held. */
async function heldOn(host: LoopbackHost): Promise<number> {
  const steps = await Promise.all((await runsOn(host)).map(stepsOf));
  return steps.filter((taken) => taken === 4).length;
}

/** Runs on a host whose last word is that they are in a state. */
async function hearing(host: LoopbackHost, state: RunState): Promise<number> {
  const events = await Promise.all((await runsOn(host)).map((run) => allEvents(run)));
  return events.filter((each) => each.findLast((event) => event.event === 'state')?.state === state).length;
}

/** Steps that the folder of a run tells of. */
async function stepsOf(run: string): Promise<number> {
  const events = await allEvents(run).catch(() => []);
  return Math.max(0, ...events.map((event) => (event.event === 'step' ? event.step : 0)));
}

async function contentOf({ home }: LoopbackHost): Promise<{ readonly jobs: string[]; readonly command: string[] }> {
  const names = await readdir(join(home, remote));
  return {
    jobs: await readdir(join(home, remote, 'jobs')),
    command: names.filter((name) => name.startsWith('command-')),
  };
}

/**
 * Every trial of both sweeps came to the same. Which of them goes on depends on the order in which they came, so that those
 * of the second rung are compared where both have them.
 */
async function requireSame(sweep: string, other: string): Promise<void> {
  const [ours, theirs] = await Promise.all([sweep, other].map(async (each) => scores(await readTrialEvents(each))));
  for (const found of [ours, theirs]) {
    for (const trial of [1, 2]) assert.ok(found?.has(`${trial} 0`), `trial ${trial}`);
    assert.ok([...(found?.keys() ?? [])].some((key) => key.endsWith(' 1')));
  }
  for (const [key, score] of ours ?? []) if (theirs?.has(key)) assert.deepEqual(score, theirs.get(key), key);
}

/** What trials came to, by trial and rung; each step of each was begun and ended once. */
function scores(events: readonly TrialEvent[]): ReadonlyMap<string, object> {
  const keys = events.map(({ event, trial, rung }) => `${event} ${trial} ${rung}`);
  assert.equal(new Set(keys).size, keys.length, keys.join(', '));
  return new Map(
    events.flatMap((event) =>
      event.event === 'reached'
        ? [
            [
              `${event.trial} ${event.rung}`,
              { epochs: event.epochs, accuracy: event.accuracy, loss: event.loss },
            ] as const,
          ]
        : [],
    ),
  );
}
