import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeptSession } from '../../../src/ml/service/editData.ts';

/** What was opened and closed, by name. */
function sessions() {
  const log: string[] = [];
  const kept = createKeptSession<{ readonly name: string; dispose(): Promise<void> }>();
  const use = (name: string) =>
    kept.get([name], () => {
      log.push(`open ${name}`);
      return Promise.resolve({
        name,
        dispose: () => {
          log.push(`close ${name}`);
          return Promise.resolve();
        },
      });
    });
  return { log, kept, use };
}

test('two pages that take turns keep their sessions, and a third closes the one that was asked for longest ago', async () => {
  const { log, use } = sessions();
  for (const name of ['a', 'b', 'a', 'b', 'a']) assert.equal((await use(name)).name, name);
  assert.deepEqual(log, ['open a', 'open b']);
  await use('c');
  await use('a');
  assert.deepEqual(log.slice(2), ['close b', 'open c']);
});

test('the session that was asked for last can be opened anew, and the other stays', async () => {
  const { log, kept, use } = sessions();
  await use('a');
  await use('b');
  await kept.close();
  await use('b');
  await use('a');
  assert.deepEqual(log, ['open a', 'open b', 'close b', 'open b']);
});

test('a session that could not be opened is not kept', async () => {
  const { log, kept, use } = sessions();
  await assert.rejects(kept.get(['a'], () => Promise.reject(new Error('no'))));
  await use('a');
  assert.deepEqual(log, ['open a']);
});
