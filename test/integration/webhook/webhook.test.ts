import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { type EndOfWork, openWebhook, webhookOf } from '../../../src/ml/webhook/webhook.ts';
import { CancelledError, cancelled, UserError, userError } from '../../../src/protocol/errors.ts';
import type { WebhookMessage } from '../../../src/protocol/webhook.ts';
import { tellWebhook } from '../../../src/ml/cli/tellWebhook.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answers: Answer[] = [];
let requests: { readonly headers: IncomingMessage['headers']; readonly url: string; readonly body: string }[] = [];
const server = createServer((request, response) => {
  void text(request).then((body) => {
    requests.push({ headers: request.headers, url: request.url ?? '', body });
    (answers.shift() ?? taken)(request, response);
  });
});
let host = '';

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  answers = [];
  requests = [];
});

const taken: Answer = (_, response) => response.writeHead(204).end();
const status =
  (code: number): Answer =>
  (_, response) =>
    response.writeHead(code, { location: '/elsewhere' }).end('an answer that nobody reads');
const hangUp: Answer = (request) => request.socket.destroy();
const silence: Answer = () => undefined;
const endless: Answer = (_, response) => {
  response.writeHead(200);
  const more = () => {
    if (!response.destroyed && response.write('x'.repeat(65_536))) setImmediate(more);
  };
  response.on('drain', more);
  more();
};

const patience = { answer: 60_000, pauses: [1, 1] };
const end: EndOfWork = {
  kind: 'run',
  name: 'roses',
  state: 'finished',
  reason: 'All 2 epochs are done.',
  best: { run: 'roses', accuracy: 0.9231, loss: 0.31, of: 'validation', images: 818 },
};
const tell = (answer = patience.answer) =>
  openWebhook(`http://${host}/T/secret?token=hidden`, { ...patience, answer }).tell(end);

test('a webhook gets one message that says of which images its accuracy is', async () => {
  assert.equal(await tell(), undefined);
  const [request, ...further] = requests;
  assert.equal(further.length, 0);
  assert.equal(request?.url, '/T/secret?token=hidden');
  assert.equal(request.headers['content-type'], 'application/json');
  const { seconds, text: words, ...message } = JSON.parse(request.body) as WebhookMessage;
  assert.ok(seconds >= 0 && seconds < 60);
  assert.deepEqual(message, { version: 1, ...end, host: hostname() });
  assert.match(words, /^Run roses finished on .+ after \d+ s: best validation accuracy 0\.923 of 818 images\.$/u);
});

test('a server that is down for a moment is asked again', async () => {
  for (const first of [status(503), hangUp, status(429)]) {
    answers = [first];
    requests = [];
    assert.equal(await tell(), undefined);
    assert.equal(requests.length, 2);
  }
});

test('what does not arrive is said without the secrets of the address', async () => {
  const cases: readonly (readonly [Answer, RegExp, number])[] = [
    [status(500), /the server answered 500/u, 3],
    [status(404), /the server answered 404/u, 1],
    // Nobody named the address that it would be sent on to.
    [status(302), /the server answered 302/u, 1],
    [hangUp, /cannot be reached/u, 3],
    [silence, /no answer came within 0\.5 s/u, 3],
  ];
  for (const [answer, words, times] of cases) {
    answers = [answer, answer, answer];
    requests = [];
    const why = await tell(answer === silence ? 500 : undefined);
    assert.match(why ?? '', words);
    assert.doesNotMatch(why ?? '', /secret|hidden/u);
    assert.equal(requests.length, times, String(words));
  }
});

test('an answer without an end is not waited for', async () => {
  answers = [endless];
  assert.equal(await tell(), undefined);
});

test('a name and a password of the address are sent as a login, and said nowhere', async () => {
  const webhook = openWebhook(`http://user:pass%20word@${host}/`, patience);
  answers = [status(401)];
  const why = await webhook.tell(end);
  assert.doesNotMatch(why ?? '', /user|pass/u);
  const login = Buffer.from('user:pass word').toString('base64');
  assert.equal(requests[0]?.headers.authorization, `Basic ${login}`);
});

test('an address of another kind is refused without being repeated', async () => {
  for (const address of ['file:///etc/secret', 'secret', 'ftp://secret/']) {
    assert.throws(
      () => openWebhook(address),
      (error) => error instanceof UserError && error.kind === 'usage' && !error.message.includes('secret'),
    );
    const why = await webhookOf({ FIVECROP_WEBHOOK: address })?.tell(end);
    assert.match(why ?? '', /is not an http or https address/u);
  }
  assert.equal(webhookOf({ FIVECROP_WEBHOOK: ' ' }), undefined);
});

test('work that fails or is stopped is told as that, and fails or stops as before', async () => {
  const webhook = openWebhook(`http://${host}/`, patience);
  for (const [error, state] of [
    [userError('The disk is full.'), 'failed'],
    [cancelled(), 'stopped'],
  ] as const) {
    answers = [status(404)];
    requests = [];
    const said: string[] = [];
    const work = () => Promise.reject(error);
    const what = { kind: 'sweep', name: 'heads' } as const;
    const told = tellWebhook(webhook, what, work, () => end, (line) => said.push(line)); // prettier-ignore
    await assert.rejects(told, error instanceof CancelledError ? CancelledError : /disk is full/u);
    const message = JSON.parse(requests[0]?.body ?? '{}') as WebhookMessage;
    assert.deepEqual([message.kind, message.state], ['sweep', state]);
    assert.match(said.join('\n'), /was not told of the end: the server answered 404/u);
  }
});
