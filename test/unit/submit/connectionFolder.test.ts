import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { makeConnectionFolder } from '../../../src/ml/submit/ssh/connectionFolder.ts';
import { temporaryFolder, writeFiles } from '../data/temporaryImages.ts';

/** Beyond what systems number processes by. */
const gone = 2 ** 30;

test('a new connection removes the empty folders of killed processes, and nothing else', async (t) => {
  const parent = await temporaryFolder(t);
  const others = [`fivecrop-ssh-${process.pid}-live`, 'fivecrop-ssh-elsewhere', `fivecrop-${gone}-other`];
  for (const name of [...others, `fivecrop-ssh-${gone}-left`]) await mkdir(join(parent, name));
  await writeFiles(parent, [`fivecrop-ssh-${gone}-used/socket`]);
  const made = await makeConnectionFolder(parent);
  assert.deepEqual((await readdir(parent)).sort(), [...others, `fivecrop-ssh-${gone}-used`, basename(made)].sort());
});
