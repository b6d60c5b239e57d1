import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createDecodePool } from '../../../src/ml/data/decodePool.ts';

// Node 20 aborts now and then with “IsGraphAsync must be used on an instantiated module”.
test('threads that are ended while they load their modules are let load them first, or the process ends with them', async (t) => {
  const loaded = new WeakSet();
  const ended: boolean[] = [];
  const emit = methodOf(EventEmitter.prototype, 'emit');
  t.mock.method(EventEmitter.prototype, 'emit', function (this: EventEmitter, ...args: unknown[]) {
    if (this instanceof Worker && args[0] === 'message' && args[1] === 'loaded') loaded.add(this);
    return emit.apply(this, args);
  });
  const terminate = methodOf(Worker.prototype, 'terminate');
  t.mock.method(Worker.prototype, 'terminate', function (this: Worker) {
    ended.push(loaded.has(this));
    return terminate.apply(this, []);
  });
  await createDecodePool(2).dispose();
  assert.deepEqual(ended, [true, true]);
});

function methodOf(prototype: object, name: string) {
  return Object.getOwnPropertyDescriptor(prototype, name)?.value as (...args: unknown[]) => unknown;
}
