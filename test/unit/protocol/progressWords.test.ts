import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgressWords } from '../../../src/protocol/progressWords.ts';

test('progress is told in percent, and the time left by how fast the work went so far', () => {
  const words = createProgressWords();
  const what = 'Testing';
  assert.equal(words({ what, done: 0, total: 200 }, 0), 'Testing: 0 %');
  assert.equal(words({ what, done: 10, total: 200 }, 500), 'Testing: 5 %', 'too early to say');
  assert.equal(words({ what, done: 50, total: 200 }, 10_000), 'Testing: 25 %, 30 s left');
  assert.equal(words({ what, done: 150, total: 200 }, 360_000), 'Testing: 75 %, 2 min left');
  assert.equal(words({ what, done: 200, total: 200 }, 400_000), 'Testing: 100 %');
});

test('each part of a work is timed by itself, and one of unknown size says only what it is', () => {
  const words = createProgressWords();
  assert.equal(words({ what: 'Loading', done: 0 }, 0), 'Loading');
  assert.equal(words({ what: 'Loading', done: 0, total: 0 }, 60_000), 'Loading');
  assert.equal(words({ what: 'Testing', done: 0, total: 10 }, 100_000), 'Testing: 0 %');
  assert.equal(words({ what: 'Testing', done: 5, total: 10 }, 102_000), 'Testing: 50 %, 2 s left');
});

test('of bytes the megabytes are told too', () => {
  const words = createProgressWords();
  const [what, total, unit] = ['Downloading', 1_280_000_000, 'bytes'] as const;
  assert.equal(words({ what, done: 0, total, unit }, 0), 'Downloading: 0 %, 0/1280 MB');
  assert.equal(words({ what, done: 320_000_000, total, unit }, 10_000), 'Downloading: 25 %, 320/1280 MB, 30 s left');
});
