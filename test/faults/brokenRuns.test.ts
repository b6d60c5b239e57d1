import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createRandom } from '../../src/ml/graph/random.ts';
import { runRecordSchema } from '../../src/protocol/runRecord.ts';
import { stateOf } from '../../src/runs/state.ts';
import { writeRun } from '../unit/extension/storedRun.ts';
import { drawTinyDataset } from '../unit/training/tinyDataset.ts';
import { assertSurvives } from './killedRun.ts';
import { command, type Ended, fivecrop, resultOf, smallRun, temporaryFolder, unbroken } from './trainer.ts';

let folder = '';
let data = '';
let expected: Awaited<ReturnType<typeof unbroken>>;

before(async () => {
  folder = await temporaryFolder();
  data = await drawTinyDataset(folder);
  expected = await unbroken(data, folder);
});
after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

const seed = Number(process.env['FIVECROP_SEED'] ?? Math.floor(Math.random() * 1e9));
const noPipes = process.platform === 'win32' && 'Windows has no such files';
/** Kills in this test; `killEverywhere.ts` does all. */
const sample = 6;

test(`a run that is killed at any operation on its files goes on in its folder as if it had not been (seed ${seed})`, async () => {
  console.log(`seed ${seed}`);
  const random = createRandom(seed, 'kills');
  const { operations } = expected;
  const any = () =>
    ({ at: 1 + random.integer(operations.length), kind: random.integer(2) === 0 ? 'kill' : 'torn' }) as const;
  const first = (pattern: RegExp) => {
    const found = operations.findIndex((line) => pattern.test(line));
    assert.notEqual(found, -1, `no operation is ${String(pattern)}`);
    return { at: 1 + found, kind: 'kill' as const };
  };
  const last = (pattern: RegExp) => {
    const found = operations.findLastIndex((line) => pattern.test(line));
    assert.notEqual(found, -1, `no operation is ${String(pattern)}`);
    return { at: 1 + found, kind: 'kill' as const };
  };
  const points = [
    first(/^rename .*last/u),
    // The last best is there beside an earlier one, whose file for a resume nobody names once it is replaced.
    last(/^rename .*best/u),
    first(/^link .*last/u),
    first(/^mkdir/u),
    ...Array.from({ length: sample }, any),
  ];
  const work = async (): Promise<void> => {
    for (let point = points.shift(); point !== undefined; point = points.shift()) {
      await assertSurvives(data, folder, point, expected);
    }
  };
  await Promise.all([work(), work()]);
});

/** Trains a small run in a folder of its own, for long, and does something to it as soon as it has saved its first checkpoint. */
async function disturbed(
  name: string,
  disturb: (run: string) => Promise<void> | void,
  begin?: string,
): Promise<Ended & { run: string }> {
  const out = begin ?? join(folder, name);
  const run = join(out, 'run');
  let disturbing: Promise<void> | undefined;
  const ended = await fivecrop(smallRun(data, out, '--epochs', '2000'), {
    begun: (child) =>
      child.stdout?.on('data', (text: string) => {
        if (text.includes('"event":"checkpoint"')) disturbing ??= Promise.resolve(disturb(run));
      }),
  });
  await disturbing;
  return { ...ended, run };
}

/** A failure that is told in one sentence, and is no bug. */
function assertSentence({ code, stderr }: Ended, pattern: RegExp): void {
  assert.equal(code, 1, stderr);
  assert.match(stderr.trim(), pattern);
  assert.doesNotMatch(stderr, /unexpected error|\n\s+at /u);
}

test('a run whose folder is deleted ends, and the folder does not come back', async () => {
  const ended = await disturbed('deleted', (run) => rm(run, { recursive: true, maxRetries: 50, retryDelay: 5 }));
  assertSentence(ended, /moved, deleted or replaced/u);
  assert.deepEqual(await readdir(join(folder, 'deleted')), []);
});

test('a run whose folder is moved ends, and goes on where it is now', async () => {
  const moved = join(folder, 'moved', 'elsewhere');
  const ended = await disturbed('moved', (run) => rename(run, moved));
  assertSentence(ended, /moved, deleted or replaced/u);
  assert.deepEqual(await readdir(join(folder, 'moved')), ['elsewhere']);
  const resumed = await fivecrop(['train', '--resume', moved, '--epochs', '1', '--json']);
  assert.equal(resumed.code, 0, resumed.stderr);
});

test('a run whose record or checkpoints are replaced ends, and leaves what took their place alone', async () => {
  const record = await disturbed('record', (run) => rename(join(run, 'run.json'), join(run, 'former.json')));
  assertSentence(record, /run\.json was moved, deleted or replaced/u);
  assert.equal(existsSync(join(record.run, 'run.json')), false);
  const checkpoints = await disturbed('checkpoints', async (run) => {
    await rename(join(run, 'checkpoints'), join(run, 'former'));
    await mkdir(join(run, 'checkpoints'));
  });
  assertSentence(checkpoints, /checkpoints was moved, deleted or replaced/u);
  assert.deepEqual(await readdir(join(checkpoints.run, 'checkpoints')), []);
});

test('of two that resume a run at once one goes on, and the other one is told', async () => {
  const out = join(folder, 'two');
  const at = expected.operations.findIndex((line) => /^link .*last/u.test(line));
  await fivecrop(smallRun(data, out), { fault: { folder: out, at } });
  // The one that goes on does so until the others have ended, however long they take to start.
  const hold = join(folder, 'two.slow');
  await writeFile(hold, 'hold 1');
  let refusals = 0;
  const resume = async () => {
    const ended = await fivecrop(['train', '--resume', join(out, 'run'), '--json'], { hold });
    if (ended.code !== 0 && ++refusals === 2) await rm(hold);
    return ended;
  };
  const ended = await Promise.all([resume(), resume(), resume()]);
  const refused = ended.filter(({ code }) => code !== 0);
  assert.equal(refused.length, 2, ended.map(({ stderr }) => stderr).join('\n'));
  for (const each of refused) assertSentence(each, /still training/u);
  assert.deepEqual(await resultOf(join(out, 'run')), expected.result);
});

test('a disk that is full at any operation ends the run with a sentence, and the run goes on when there is room', async () => {
  const random = createRandom(seed, 'room');
  const firstCheckpoint = expected.operations.findIndex((line) => /^rename .*last/u.test(line));
  for (let round = 0; round < 3; round++) {
    const out = join(folder, `full-${round}`);
    const at = firstCheckpoint + 2 + random.integer(expected.operations.length - firstCheckpoint - 20);
    const ended = await fivecrop(smallRun(data, out), { fault: { folder: out, at, kind: 'ENOSPC' } });
    assertSentence(ended, /The disk is full/u);
    const resumed = await fivecrop(['train', '--resume', join(out, 'run'), '--json']);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.deepEqual(
      await resultOf(join(out, 'run')),
      expected.result,
      `at ${at} (${expected.operations[at - 1] ?? ''}), seed ${seed}`,
    );
  }
});

/** Mounts a disk in memory; false where this user may not. */
function mountDisk(at: string, size: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', at], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('a small disk that fills up, or can only be read any more, ends the run with a sentence and keeps its checkpoint', async (context) => {
  const disk = join(folder, 'disk');
  await mkdir(disk);
  if (process.platform !== 'linux' || !mountDisk(disk, '8m')) {
    context.skip('needs a user that may mount');
    return;
  }
  try {
    const full = await disturbed(
      'disk',
      () => writeFile(join(disk, 'rest'), Buffer.alloc(8e6)).catch(() => undefined),
      disk,
    );
    assertSentence(full, /The disk is full/u);
    await rm(join(disk, 'rest'));
    const resume = ['train', '--resume', full.run, '--json'];
    let remounted = false;
    const readOnly = await fivecrop(resume, {
      begun: (child) =>
        child.stdout?.on('data', (text: string) => {
          if (remounted || !text.includes('"event":"checkpoint"')) return;
          remounted = true;
          // Busy as long as a file is open to be written.
          for (let tries = 0; !remount(disk, 'ro'); tries++) assert.ok(tries < 10_000, 'the disk stays busy');
        }),
    });
    assertSentence(readOnly, /cannot be written any more/u);
    remount(disk, 'rw');
    const resumed = await fivecrop([...resume, '--epochs', '1']);
    assert.equal(resumed.code, 0, resumed.stderr);
  } finally {
    execFileSync('umount', [disk]);
  }
});

function remount(disk: string, how: string): boolean {
  try {
    execFileSync('mount', ['-o', `remount,${how}`, disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test(
  'folders full of devices, pipes and giants are listed with their reasons, soon and in little memory',
  { skip: noPipes },
  async () => {
    const runs = join(folder, 'hostile');
    const swap = async (name: string, file: string, make: (path: string) => unknown) => {
      const path = join(await writeRun(runs, name), file);
      await rm(path, { recursive: true, force: true });
      await make(path);
    };
    const pipe = (path: string) => execFileSync('mkfifo', [path]);
    const giant = async (path: string) => {
      await writeFile(path, '{');
      await truncate(path, 100 * 1024 ** 3);
    };
    for (let index = 0; index < 6; index++) {
      await swap(`device-${index}`, 'run.json', (path) => symlink('/dev/zero', path));
      await swap(`pipe-${index}`, 'run.json', pipe);
      await swap(`curve-${index}`, 'metrics.jsonl', pipe);
    }
    await swap('curve', 'metrics.jsonl', (path) => symlink('/dev/zero', path));
    await swap('giant', 'run.json', giant);
    await swap('loop', 'run.json', (path) => symlink(path, path));
    await swap('folder', 'run.json', mkdir);
    await swap('file', 'checkpoints', (path) => writeFile(path, ''));
    const good = await writeRun(runs, 'good');
    await giant(join(good, 'metrics.jsonl'));
    const { code, stdout, stderr } = await fivecrop(['runs', runs]);
    assert.equal(code, 0);
    assert.equal(stderr.match(/is left out/gu)?.length, 23, stderr);
    assert.match(stdout, /good +finished/u);
    for (const [name, reason] of [
      ['pipe-0', /is a FIFO/u],
      ['device-0', /is a device/u],
      ['curve', /is a device/u],
      ['giant', /102,400 MiB/u],
      ['good', /has a line of more than/u],
    ] as const) {
      assertSentence(await fivecrop(['train', '--resume', join(runs, name)]), reason);
    }
  },
);

test('checkpoints that are devices or pipes are refused unopened', { skip: noPipes }, async () => {
  const run = join(folder, 'hostile-checkpoints');
  await cp(join(folder, 'unbroken', 'run'), run, { recursive: true });
  const last = join(run, 'checkpoints', 'last.safetensors');
  const best = join(run, 'checkpoints', 'best.safetensors');
  for (const file of [last, best]) await rm(file);
  execFileSync('mkfifo', [last]);
  await symlink('/dev/zero', best);
  assertSentence(await fivecrop(['train', '--resume', run]), /last\.safetensors is a FIFO/u);
  assertSentence(await fivecrop(['predict', join(data, 'train/1/0.png'), '--checkpoint', best]), /is a device/u);
});

test('the first process of a container, whose number is 1, trains and resumes', (context) => {
  const first = (...args: string[]) =>
    spawnSync('unshare', ['-fp', '--mount-proc', process.execPath, command, ...args], { encoding: 'utf8' });
  if (spawnSync('unshare', ['-fp', '--mount-proc', 'true']).status !== 0) {
    context.skip('needs Linux and a user that may make namespaces');
    return;
  }
  const out = join(folder, 'container');
  const begun = first(...smallRun(data, out));
  assert.equal(begun.status, 0, begun.stderr);
  const resumed = first('train', '--resume', join(out, 'run'), '--epochs', '4');
  assert.equal(resumed.status, 0, resumed.stderr);
});

test('a process that only has the number of the owner neither blocks a resume nor counts as the run', async () => {
  const run = join(folder, 'reused', 'run');
  await cp(join(folder, 'unbroken', 'run'), run, { recursive: true });
  const file = join(run, 'run.json');
  const record = runRecordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  const owners = [
    { ...record.process, pid: process.pid },
    { pid: process.pid, started: '2026-01-01T00:00:00.000Z' },
  ];
  for (const owner of owners) {
    const stolen = runRecordSchema.parse({ ...record, state: 'running', process: owner });
    assert.equal(stateOf(run, stolen), 'broken off');
    await writeFile(file, JSON.stringify(stolen));
    const { code, stderr } = await fivecrop(['train', '--resume', run, '--json']);
    assert.equal(code, 0, stderr);
  }
});
