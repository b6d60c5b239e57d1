import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { decodeImage } from '../../src/ml/data/decodeImage.ts';
import { inspectFiles, measureFiles } from '../../src/ml/data/decodeWorker.ts';
import { createLargeImageLock } from '../../src/ml/data/largeImageLock.ts';
import { pictureOf } from '../../src/ml/data/picture.ts';

test(
  'what is no file is never read: a device, a pipe, a socket and a folder with the name of an image',
  { skip: process.platform === 'win32' && 'Windows has no such files', timeout: 120_000 },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'fivecrop-hostile-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const names = ['zero', 'random', 'terminal', 'pipe', 'socket', 'folder'].map((name) => join(folder, `${name}.jpg`));
    const [zero = '', random = '', terminal = '', pipe = '', socket = '', directory = ''] = names;
    await symlink('/dev/zero', zero);
    await symlink('/dev/urandom', random);
    await symlink('/dev/tty', terminal);
    execFileSync('mkfifo', [pipe]);
    const server = createServer().listen(socket);
    t.after(() => server.close());
    await mkdir(directory);
    for (const file of names) {
      await assert.rejects(decodeImage(file, 32), /device, pipe or socket/, file);
      await assert.rejects(pictureOf(file, 32), /device, pipe or socket/, file);
    }
    const lock = createLargeImageLock();
    const inspections = await inspectFiles({ files: names, decode: true, hash: 'whole', lock });
    assert.ok(inspections.every(({ hash, reason }) => hash === undefined && reason?.includes('device')));
    const ends = await inspectFiles({ files: names, decode: false, hash: 'end', lock });
    assert.ok(ends.every(({ hash }) => hash === undefined));
    assert.deepEqual([...measureFiles({ files: names })], names.map(() => -1)); // prettier-ignore
  },
);
