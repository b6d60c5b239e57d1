import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { drawTinyDataset, temporaryFolder } from '../../unit/training/tinyDataset.ts';
import { fivecrop } from '../cli/runCommand.ts';
import { endLastFirst, type LoopbackHost, startLoopbackHost, whyNoServer } from './loopbackSshd.ts';
import { until } from './until.ts';

const missing = await whyNoServer();
const options = missing === undefined ? {} : { skip: missing };
const run = promisify(execFile);
const remote = '.cache/fivecrop/remote';

const settings = {
  ...{ network: { kind: 'architecture', name: 'ConvNet1' }, method: 'scratch', device: 'cpu', engine: 'onnx' },
  ...{ imageSize: 32, resize: 36, hidden: [8], epochs: 2, batchSize: 5, validateEvery: 4 },
};

interface Workplace {
  readonly folder: string;
  readonly far: LoopbackHost;
  readonly submit: (args: readonly string[], env?: Readonly<Record<string, string>>) => ReturnType<typeof fivecrop>;
}

async function workplace(t: TestContext): Promise<Workplace> {
  const ending = endLastFirst(t);
  const folder = await temporaryFolder(ending);
  const place = join(folder, 'server');
  await mkdir(place);
  const far = await startLoopbackHost(ending, place, { hasNode: true });
  const data = await drawTinyDataset(folder);
  await writeFile(join(folder, 'tiny.fivecrop.json'), JSON.stringify({ ...settings, data }));
  const basic = { ...far.env, FIVECROP_LOOK_INTERVAL: '50' };
  return {
    ...{ folder, far },
    submit: (args, env = {}) =>
      fivecrop(['submit', ...args], { cwd: folder, env: { ...basic, ...env }, signal: t.signal }),
  };
}

test(
  'what is wrong with a host is said in one sentence, and no run is left waiting',
  { ...options, timeout: 600_000 },
  async (t) => {
    const { folder, far, submit } = await workplace(t);
    const refused = async (to: string, sentence: RegExp, code = 1) => {
      const ended = await submit(['tiny.fivecrop.json', '--to', to]);
      const lines = ended.stderr
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('Bringing '));
      assert.equal(ended.code, code, ended.stderr);
      assert.match(lines[0] ?? '', sentence);
      assert.equal(lines.length, 1, ended.stderr);
      assert.deepEqual(existsSync(join(folder, 'runs')) ? await readdir(join(folder, 'runs')) : [], []);
    };
    const quirk = async (lines: string, sentence: RegExp) => {
      await writeFile(far.quirks, lines);
      await refused('ssh:far', sentence);
      await rm(far.quirks);
    };

    await t.test('names that are none', async () => {
      // What else a host cannot be called is with checkHost.
      for (const to of ['ssh:-oProxyCommand=touch pwned', 'ssh:far,near']) await refused(to, /cannot be a host/u, 2);
      await refused('ssh:changed', /The host key of changed is another one than before: .*ssh-keygen -R/u);
      assert.ok(!existsSync(join(folder, 'pwned')));
    });

    await t.test('programs that are missing, or are others', async () => {
      const without = join(folder, 'without');
      await mkdir(without);
      for (const program of ['sh', 'uname', 'mkdir', 'chmod'])
        await run('ln', ['-s', join(folder, 'server', 'programs', program), without]);
      await quirk(`PATH='${without}'\n`, /far has no rsync: install it there/u);
      await quirk("SSH_ORIGINAL_COMMAND='exit 3'\n", /far cannot be used: its shell ended with exit code 3/u);
      // An old Node.js is passed over, and what is brought in its place does not run.
      await writeFile(join(without, 'node'), '#!/bin/sh\necho v12.0.0\n', { mode: 0o755 });
      await run('ln', ['-s', join(folder, 'server', 'programs', 'rsync'), without]);
      const breaking =
        'case "$SSH_ORIGINAL_COMMAND" in *--version*) echo "cannot execute: wrong libc" >&2; exit 126;; esac\n';
      await quirk(
        `PATH='${without}'\n${breaking}`,
        /far has no Node\.js v.*, and that of this machine does not run there \(cannot execute: wrong libc\): install that version/u,
      );
      const bare = await submit(['tiny.fivecrop.json', '--to', 'ssh:far'], { PATH: '/nonexistent' });
      assert.match(bare.stderr, /ssh is not installed on this machine: install it/u);
    });

    await t.test('a shell that greets', async () => {
      await quirk("echo 'Welcome to far!'\n", /The shell of far writes to standard output when it starts/u);
    });

    await t.test('a disk that is full', async (inner) => {
      const disk = join(far.home, '.cache');
      await rm(disk, { recursive: true, force: true });
      await mkdir(disk);
      const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]).then(Boolean, () => false);
      if (!mounted) {
        inner.skip('this user cannot mount a small disk');
        return;
      }
      try {
        await refused('ssh:far', /The disk of far is full, so nothing more can be copied there: free some space/u);
      } finally {
        // What was refused may have its folder there for a moment still.
        await run('umount', ['--lazy', disk]);
      }
    });

    await t.test('nobody answers', async () => {
      await far.stop();
      await refused('ssh:far', /far cannot be reached: .*refused/u);
      await far.start();
    });
  },
);

test(
  'a host that sends too much is stopped, and nothing of that stays',
  { ...options, timeout: 600_000 },
  async (t) => {
    const { folder, far, submit } = await workplace(t);
    await writeFile(far.slow, 'hold 4');
    const place = join(folder, 'runs', 'much');
    const submitted = await submit(['tiny.fivecrop.json', '--to', 'ssh:far', '--name', 'much']);
    assert.equal(submitted.code, 0, submitted.stderr);
    const [job = ''] = await readdir(join(far.home, remote, 'jobs'));
    const there = join(far.home, remote, 'jobs', job, 'runs', '1');
    await until(() => Promise.resolve(existsSync(join(there, 'metrics.jsonl'))));

    const small = await submit(['follow', place], { FIVECROP_COPY_LIMIT: '0.000001' });
    assert.equal(small.code, 1);
    assert.match(small.stderr, /far sends more than 0\.000001 GB for one run, .*raise FIVECROP_COPY_LIMIT \(in GB\)/u);
    const huge = join(there, 'huge.bin');
    await writeFile(huge, '');
    await truncate(huge, 40_000_000_000);
    const filled = await submit(['follow', place], { FIVECROP_COPY_LIMIT: '0.05' });
    assert.match(filled.stderr, /far sends more than 0\.05 GB for one run/u);
    assert.equal(filled.code, 1);
    assert.ok(!existsSync(join(place, '.remote', 'copy')) && !existsSync(join(place, 'huge.bin')));
    await rm(huge);
    const wrong = await submit(['follow', place], { FIVECROP_COPY_LIMIT: 'all' });
    assert.deepEqual([wrong.code, wrong.stderr.includes('give a number of gigabytes')], [2, true], wrong.stderr);

    const endless = `case "$SSH_ORIGINAL_COMMAND" in *remote.mjs*) while :; do printf '%01000d' 0; done;; esac\n`;
    await writeFile(far.quirks, endless);
    const flooded = await submit(['follow', place]);
    assert.match(flooded.stderr, /far answered what cannot be understood/u);
    assert.equal(flooded.code, 1);
    await rm(far.quirks);

    await rm(far.slow);
    const followed = await submit(['follow', place]);
    assert.equal(followed.code, 0, followed.stderr);
    assert.ok(existsSync(join(place, 'checkpoints', 'best.safetensors')));
  },
);
