import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connectionError } from '../../../src/ml/submit/ssh/connectionError.ts';
import type { RemoteHost } from '../../../src/ml/submit/ssh/remoteHost.ts';
import { openSshTrainer } from '../../../src/ml/submit/ssh/sshTrainer.ts';
import type { RemoteRequest } from '../../../src/protocol/remoteMessages.ts';
import { givenConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { readRunRecord } from '../../../src/runs/record.ts';
import { drawTinyDataset } from '../training/tinyDataset.ts';

// Hosts out of reach are waited for by looks.
const usual = process.env['FIVECROP_LOOK_INTERVAL'];
before(() => {
  process.env['FIVECROP_LOOK_INTERVAL'] = '1';
});
after(() => {
  if (usual === undefined) delete process.env['FIVECROP_LOOK_INTERVAL'];
  else process.env['FIVECROP_LOOK_INTERVAL'] = usual;
});

interface Host {
  isAway: boolean;
  /** Whether it is out of reach from its next look on. */
  breaks: boolean;
  /** How many looks say that a run trains. */
  looks: number;
  readonly asked: RemoteRequest['ask'][];
}

/** Hosts that train nothing; each run ends there after some looks. */
async function hostsOf(t: TestContext, names: readonly string[]) {
  const out = await mkdtemp(join(tmpdir(), 'fivecrop-hosts-'));
  t.after(() => rm(out, { recursive: true, force: true }));
  const sweep = join(out, 'heads');
  await mkdir(sweep);
  const data = await drawTinyDataset(out, 2, 1);
  const hosts = new Map<string, Host>(
    names.map((name) => [name, { isAway: false, breaks: false, looks: 2, asked: [] }]),
  );
  const said: string[] = [];
  const signal = t.signal;
  const hostOf = (name: string) => {
    const host = hosts.get(name);
    assert.ok(host);
    return host;
  };
  const connect = (name: string): Promise<RemoteHost> => {
    const host = hostOf(name);
    const reach = () => {
      if (host.isAway) throw connectionError(name, 'Connection refused');
    };
    const ask: RemoteHost['ask'] = async (request) => {
      await Promise.resolve();
      reach();
      host.asked.push(request.ask);
      return { answer: 'done' };
    };
    const channel: RemoteHost = {
      ...{ name, ask, under: () => channel, close: () => Promise.resolve() },
      push: async () => {
        await Promise.resolve();
        reach();
      },
      // It made of the run what its end is.
      pull: async (_, to) => {
        const record = await readRunRecord(join(out, 'heads-1'));
        const progress = { step: 3, totalSteps: 3, epoch: 1, stepsPerEpoch: 3 };
        await writeFile(join(to, 'run.json'), JSON.stringify({ ...record, state: 'finished', progress }));
      },
      status: async (request) => {
        await ask(request);
        const state = host.looks-- > 0 ? 'waiting' : 'over';
        if (host.breaks) host.isAway = true;
        return { answer: 'status', root: '/there', brought: [], runs: [{ run: 1, state }] };
      },
    };
    return Promise.resolve().then(() => {
      reach();
      return channel;
    });
  };
  const open = () =>
    openSshTrainer(
      names,
      { say: (line) => said.push(line), signal, shared: sweep, options: {}, command: ['fivecrop'] },
      connect,
    );
  const network = { kind: 'architecture', name: 'ConvNet1' };
  const config = givenConfigSchema.parse({ data, network, method: 'scratch', epochs: 1, imageSize: 32, resize: 36 });
  const run = { config, folder: join(out, 'heads-1'), resumes: false };
  return { hostOf, said, open, run, signal };
}

const starts = (host: Host) => host.asked.filter((ask) => ask === 'start').length;

test('a host that is out of reach at the beginning is left out, with a sentence, as long as another one is not', async (t) => {
  const { hostOf, said, open, run, signal } = await hostsOf(t, ['a', 'b']);
  const [a, b] = [hostOf('a'), hostOf('b')];
  a.isAway = true;
  const trainer = await open();
  assert.deepEqual(said, [
    'a cannot be reached: Connection refused. The trials train on the other hosts until it can be.',
  ]);
  assert.equal(await trainer.train(run, signal), undefined);
  assert.deepEqual([starts(a), starts(b)], [0, 1]);
  b.isAway = true;
  await assert.rejects(open(), /^UserError: a cannot be reached/u);
});

test('a trial that was not begun goes to another host', async (t) => {
  const { hostOf, said, open, run, signal } = await hostsOf(t, ['a', 'b']);
  const [a, b] = [hostOf('a'), hostOf('b')];
  const trainer = await open();
  a.isAway = true;
  assert.equal(await trainer.train(run, signal), undefined);
  assert.ok(said.includes('a cannot be reached: Connection refused. heads-1 goes to another host.'), said.join('\n'));
  assert.deepEqual([starts(a), starts(b)], [0, 1]);
});

test('a trial that may train on a host out of reach is begun on no other, fails in passing, and is taken up when it is tried again', async (t) => {
  const { hostOf, said, open, run, signal } = await hostsOf(t, ['a', 'b']);
  const [a, b] = [hostOf('a'), hostOf('b')];
  const trainer = await open();
  a.breaks = true;
  assert.deepEqual(await trainer.train(run, signal), {
    reason:
      'a cannot be reached: Connection refused. If it trains there, that goes on, and fivecrop sweep resume takes it up.',
    cause: 'passing',
  });
  assert.ok(said.some((line) => line.endsWith('trying again.')));
  Object.assign(a, { isAway: false, breaks: false });
  assert.equal(await (await open()).train({ ...run, resumes: true }, signal), undefined);
  assert.deepEqual([starts(a), starts(b)], [1, 0]);
});

test('the only host is waited for until it is there', async (t) => {
  const { hostOf, said, open, run, signal } = await hostsOf(t, ['a']);
  const a = hostOf('a');
  const trainer = await open();
  a.breaks = true;
  const trained = trainer.train(run, signal);
  while (!said.some((line) => line.endsWith('trying again.'))) await delay(5);
  // Longer than a trial waits where there are others.
  await delay(800);
  Object.assign(a, { isAway: false, breaks: false });
  assert.equal(await trained, undefined);
  assert.ok(said.includes('Connected again.'));
});
