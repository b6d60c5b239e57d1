import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withFewTalks } from '../../../src/ml/submit/ssh/withFewTalks.ts';
import type { RemoteHost } from '../../../src/ml/submit/ssh/remoteHost.ts';

test('at most four talk to a host at the same time, under whatever signal, and all have their turn', async () => {
  let [talking, most, done] = [0, 0, 0];
  const talk = async () => {
    most = Math.max(most, ++talking);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    talking--;
    if (++done % 3 === 0) throw new Error('broken');
  };
  const plain = { name: 'far', push: talk, pull: talk, under: () => plain } as unknown as RemoteHost;
  const host = withFewTalks(plain);
  const other = host.under(new AbortController().signal);
  const all = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? host.push('a', 'b') : other.pull('a', 'b')));
  await Promise.allSettled(all);
  assert.deepEqual([most, done], [4, 20]);
});
