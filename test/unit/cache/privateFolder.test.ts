import assert from 'node:assert/strict';
import { chmod, chown, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makePrivateFolder } from '../../../src/ml/cache/privateFolder.ts';
import { temporaryFolder } from '../data/temporaryImages.ts';

const posix = { skip: process.platform === 'win32' && 'Windows has no modes' };

test('a folder is made for its owner alone, whatever the umask, and so are those above it', posix, async (t) => {
  const root = await temporaryFolder(t);
  const before = process.umask(0);
  t.after(() => process.umask(before));
  await makePrivateFolder(join(root, 'cache', 'images'));
  for (const path of ['cache', 'cache/images']) assert.equal((await stat(join(root, path))).mode & 0o777, 0o700, path);
  await makePrivateFolder(join(root, 'cache', 'images'));
});

test('a folder that others may only look into is closed to them', posix, async (t) => {
  const folder = join(await temporaryFolder(t), 'images');
  await mkdir(folder, { mode: 0o755 });
  await makePrivateFolder(folder);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
});

test('a folder that others may write to is refused', posix, async (t) => {
  const folder = join(await temporaryFolder(t), 'images');
  await mkdir(folder);
  for (const mode of [0o777, 0o1777, 0o770, 0o702]) {
    await chmod(folder, mode);
    await assert.rejects(makePrivateFolder(folder), /other users may write to it/u, mode.toString(8));
  }
});

test('a link and a file are no folder of ours', posix, async (t) => {
  const root = await temporaryFolder(t);
  await mkdir(join(root, 'target'), { mode: 0o700 });
  await symlink(join(root, 'target'), join(root, 'link'));
  await assert.rejects(makePrivateFolder(join(root, 'link')), /it is a link/u);
  await symlink(join(root, 'nowhere'), join(root, 'broken'));
  await assert.rejects(makePrivateFolder(join(root, 'broken')), /it is a link/u);
  await writeFile(join(root, 'file'), '');
  await assert.rejects(makePrivateFolder(join(root, 'file')), /it is not a folder/u);
});

const rootOnly = { skip: process.getuid?.() !== 0 && 'only root can give folders away' };

test('a folder of another user is refused', rootOnly, async (t) => {
  const folder = join(await temporaryFolder(t), 'images');
  await mkdir(folder, { mode: 0o700 });
  await chown(folder, 65534, 65534);
  await assert.rejects(makePrivateFolder(folder), /it belongs to another user/u);
});
