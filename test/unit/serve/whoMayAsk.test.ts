import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, requireBearer, requireOwnPage, requireToken } from '../../../src/ml/serve/whoMayAsk.ts';

test('loopback is what only programs of this machine reach', () => {
  for (const host of ['127.0.0.1', '127.8.9.1', '::1', '[::1]', 'localhost', 'LocalHost']) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'localhost.example.org', '127.0.0.1.nip.io', '']) {
    assert.ok(!isLoopback(host), host);
  }
});

test('an address that others reach is refused without a token', () => {
  assert.throws(() => requireToken('0.0.0.0', undefined), {
    name: 'UserError',
    kind: 'usage',
    message: /--token-file/,
  });
  requireToken('0.0.0.0', 'a token');
  requireToken('127.0.0.1', undefined);
});

test('a name that leads to loopback by DNS is refused, and so are pages of other origins', () => {
  const refused = { name: 'RefusedRequest', status: 403 };
  requireOwnPage({ host: '127.0.0.1:8765' }, '127.0.0.1');
  requireOwnPage({ host: 'localhost:8765', origin: 'http://localhost:8765' }, '127.0.0.1');
  requireOwnPage({ host: '[::1]:8765' }, '::1');
  for (const host of ['evil.example:8765', '127.0.0.1.evil.example', '', 'a b', '10.0.0.1']) {
    assert.throws(() => requireOwnPage({ host }, '127.0.0.1'), refused, host);
  }
  for (const origin of ['http://evil.example', 'null', 'http://localhost:1', 'http://127.0.0.1']) {
    assert.throws(() => requireOwnPage({ host: '127.0.0.1:8765', origin }, '127.0.0.1'), refused, origin);
  }
  // There the token guards.
  requireOwnPage({ host: 'models.example.org' }, '0.0.0.0');
});

test('a request bears the token as a bearer, or is refused', () => {
  const token = 'correct horse battery'.replaceAll(' ', '-');
  requireBearer({}, undefined);
  requireBearer({ authorization: `Bearer ${token}` }, token);
  requireBearer({ authorization: `bearer  ${token} ` }, token);
  for (const authorization of ['', token, `Basic ${token}`, `Bearer ${token}x`, 'Bearer ', `Bearer x ${token}`]) {
    assert.throws(() => requireBearer({ authorization }, token), { status: 401 }, authorization);
  }
});
