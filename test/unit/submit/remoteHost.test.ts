import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/protocol/errors.ts';
import { connectionError, isConnectionLost } from '../../../src/ml/submit/ssh/connectionError.ts';
import { checkHost, chooseNode } from '../../../src/ml/submit/ssh/remoteHost.ts';

test('a host is a name of the configuration or user@host', () => {
  for (const host of ['gpu1', 'me@gpu1.example.org', 'a_b-c', '10.0.0.7', '_x@h']) assert.equal(checkHost(host), host);
});

test('what ssh or a shell would read more into is no host', () => {
  const wrong = [
    ...['', '-oProxyCommand=touch x', '-l', 'me@-oProxyCommand=x', '-x@host', 'host;id', '$(id)', '`id`', 'a b', "a'b"],
    ...['a/b', 'host:22', '::1', 'a@b@c', 'host\n-oX', 'a\u0000b', '@host', 'host@', 'a'.repeat(300)],
  ];
  for (const host of wrong)
    assert.throws(
      () => checkHost(host),
      (error) => error instanceof UserError && error.kind === 'usage',
      host,
    );
});

test('a host that lets nobody in is told apart from one that is out of reach', () => {
  const said = [
    ['me@far: Permission denied (publickey).', /ssh-copy-id far/u, false],
    ['No ED25519 host key is known for far and you have requested strict checking.', /not known/u, false],
    ['Host key verification failed.', /not known/u, false],
    [
      '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.',
      /another one/u,
      false,
    ],
    ['ssh: connect to host far port 22: Connection refused', /cannot be reached: .*refused\.$/u, true],
    ['ssh: Could not resolve hostname far: Name or service not known', /cannot be reached/u, true],
    ['Timeout, server far not responding.', /cannot be reached: Timeout, server far not responding\.$/u, true],
    ['', /closed/u, true],
  ] as const;
  for (const [text, sentence, lost] of said) {
    const error = connectionError('far', text);
    assert.match(error.message, sentence);
    assert.equal(isConnectionLost(error), lost, text);
  }
});

test('the Node.js of a host is that of this version, and an editor takes a newer one where nobody brings it', () => {
  const found = [
    { version: 'v18.1.0', path: '/old/node' },
    { version: 'v24.0.0', path: '/new/node' },
    { version: 'v22.3.0', path: '/it is/node' },
  ];
  const choose = (version: string, isEditor: boolean) => chooseNode(found, { version, isEditor });
  assert.equal(choose('v24.0.0', false), '/new/node');
  assert.equal(choose('v22.3.0', false), undefined);
  assert.equal(choose('v22.3.0', true), '/new/node');
  assert.equal(chooseNode(found.slice(0, 1), { version: 'v22.3.0', isEditor: true }), undefined);
});
