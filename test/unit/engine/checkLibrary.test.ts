import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessReply } from '../../../src/ml/engine/askProcess.ts';
import { checkOf } from '../../../src/ml/engine/onnxruntime/capi/checkLibrary.ts';

const ended = (signal: NodeJS.Signals | null, code: number | null = null): ProcessReply => ({
  kind: 'ended',
  signal,
  code,
});
const answer = (failure: string): ProcessReply => ({ kind: 'answer', message: { failure } });

test('a check that crashes, or whose numbers differ, speaks against the library for good', () => {
  for (const reply of [ended('SIGSEGV'), ended('SIGILL'), ended(null, 0xc0000005), answer('its numbers differ')]) {
    const check = checkOf(reply, 30);
    assert.ok(!check.passed && check.lasting, JSON.stringify(reply));
  }
});

test('a check that is killed, late, not started or short of memory speaks against it for the time being', () => {
  const passing: ProcessReply[] = [
    ended('SIGKILL'),
    ended('SIGABRT'),
    ended(null, 1),
    { kind: 'late' },
    { kind: 'not started', reason: 'spawn EAGAIN' },
    answer('std::bad_alloc'),
  ];
  for (const reply of passing) {
    const check = checkOf(reply, 30);
    assert.ok(!check.passed && !check.lasting, JSON.stringify(reply));
  }
});

test('a check in which nothing was wrong passes', () => {
  assert.deepEqual(checkOf({ kind: 'answer', message: {} }, 30), { passed: true });
});
