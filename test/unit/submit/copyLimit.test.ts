import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { copyLimitFrom, withinLimit } from '../../../src/ml/submit/ssh/copyLimit.ts';
import { temporaryFolder } from '../extension/storedRun.ts';

const limit = { bytes: 1000, files: 5, free: 0 };

test('the limit is 20 GB for a run, or what the environment says in gigabytes', () => {
  assert.equal(copyLimitFrom({}).bytes, 20e9);
  assert.equal(copyLimitFrom({ FIVECROP_COPY_LIMIT: '0.5' }).bytes, 5e8);
  for (const wrong of ['-1', '0', '20GB', 'Infinity', 'NaN'])
    assert.throws(() => copyLimitFrom({ FIVECROP_COPY_LIMIT: wrong }), /give a number of gigabytes/u);
});

test('what stays within the limit is kept', async (t) => {
  const folder = await temporaryFolder(t);
  await withinLimit(folder, 'far', limit, () => writeFile(join(folder, 'a'), 'x'.repeat(1000)));
  assert.ok(existsSync(join(folder, 'a')));
});

test('too much, too many files, in whatever folder, and too little room end the copy, which is removed', async (t) => {
  const parent = await temporaryFolder(t);
  const cases = [
    [{ ...limit, bytes: 999 }, /far sends more than 0\.000000999 GB|more than 9\.99e-7 GB/u],
    [{ ...limit, files: 1 }, /far sends more than 1 files/u],
    [{ ...limit, free: Number.MAX_SAFE_INTEGER }, /nearly full/u],
  ] as const;
  for (const [tight, sentence] of cases) {
    const folder = join(parent, 'copy');
    const work = async () => {
      await mkdir(join(folder, 'inner'), { recursive: true });
      await writeFile(join(folder, 'inner', 'a'), 'x'.repeat(1000));
    };
    await mkdir(folder);
    await assert.rejects(withinLimit(folder, 'far', tight, work), sentence);
    assert.ok(!existsSync(folder));
  }
});

test('a copy that would never end is ended', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a'), 'x'.repeat(1001));
  const endless = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
  await assert.rejects(withinLimit(folder, 'far', limit, endless), /far sends more than/u);
});

test('a folder that is removed meanwhile ends nothing but the copy', async (t) => {
  const folder = join(await temporaryFolder(t), 'gone');
  const work = async () => {
    // Longer than from one look to the next.
    await delay(500);
    throw new Error('the copy says it');
  };
  await assert.rejects(withinLimit(folder, 'far', limit, work), /the copy says it/u);
});
