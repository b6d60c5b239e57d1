import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../src/extension/log.ts';

test('whatever is logged, its hidden characters are shown as symbols, and a stack keeps its lines', () => {
  const written: string[] = [];
  const take = (message: string | Error) => written.push(String(message));
  const log = createLog({ info: take, warn: take, error: take, show: () => undefined });
  log.info('a\u001b[31m');
  log.warn('a\nb');
  log.error('\u202ea');
  const error = new Error('why');
  error.stack = 'why\u0007\n  at here';
  log.error(error);
  assert.deepEqual(written, ['a␛[31m', 'a␊b', '\\u202ea', 'why␇\n  at here']);
});
