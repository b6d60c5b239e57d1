import assert from 'node:assert/strict';
import { execFileSync, fork, spawn } from 'node:child_process';
import { get } from 'node:http';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import '../../../scripts/startNothing.mjs';

test('a unit test that starts a process or a worker, listens or connects fails', async () => {
  const attempts: Readonly<Record<string, () => unknown>> = {
    spawn: () => spawn('true'),
    execFileSync: () => execFileSync('true'),
    fork: () => fork('nothing.mjs'),
    Worker: () => new Worker('0', { eval: true }),
    listen: () => createServer().listen(0),
    connect: () => connect(1),
    http: () => get('http://127.0.0.1:49151'),
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    assert.throws(
      attempt,
      /^Error: A unit test (?:starts|listens|connects) .* belong into test\/integration\.$/u,
      name,
    );
  }
  const cause = await fetch('http://127.0.0.1:49151').catch((error: unknown) => (error as Error).cause);
  assert.match(String(cause), /A unit test connects/u);
});
