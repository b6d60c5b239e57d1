import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fivecrop } from './runCommand.ts';

test('clean moves, puts aside, lists and takes back', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'fivecrop-clean-'));
  t.after(() => rm(data, { recursive: true }));
  for (const name of ['cat', 'dog']) {
    await mkdir(join(data, name));
    for (const file of ['1.jpg', '2.jpg']) await writeFile(join(data, name, file), name);
  }
  const moved = await fivecrop(['clean', data, '--move', join(data, 'cat/1.jpg'), '--to', 'dog']);
  assert.deepEqual([moved.code, moved.stdout], [0, 'Done: move cat/1.jpg to dog.\n']);
  assert.deepEqual((await readdir(join(data, 'dog'))).sort(), ['1 (2).jpg', '1.jpg', '2.jpg']);
  assert.equal((await fivecrop(['clean', data, '--put-aside', join(data, 'dog/2.jpg')])).code, 0);
  const listed = await fivecrop(['clean', data, '--list', '--json']);
  const edits = listed.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { edit: unknown; undone: boolean }); // prettier-ignore
  assert.deepEqual(
    edits.map(({ edit, undone }) => [edit, undone]),
    [
      [{ kind: 'move', images: ['cat/1.jpg'], to: 'dog' }, false],
      [{ kind: 'putAside', images: ['dog/2.jpg'] }, false],
    ],
  );
  const reverted = await fivecrop(['clean', data, '--revert', 'all']);
  assert.deepEqual([reverted.code, reverted.stderr], [0, '2 edits undone.\n']);
  assert.deepEqual((await readdir(data)).sort(), ['cat', 'dog', 'fivecrop-edits.jsonl']);
  assert.deepEqual((await readdir(join(data, 'dog'))).sort(), ['1.jpg', '2.jpg']);
  const wrong = await fivecrop(['clean', data, '--rename', 'cat']);
  assert.deepEqual([wrong.code, wrong.stderr], [2, 'fivecrop: --rename needs the other class: --to CLASS.\n']);
});
