import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Classifier } from '../../../src/ml/inference/classifier.ts';
import { colourClassifier } from '../../unit/inference/fakeClassifier.ts';
import { until } from '../../e2e/until.ts';
import {
  answerOf,
  ask,
  classify,
  colouredImage,
  figuresOf,
  hasWaiting,
  openConnection,
  pool,
  predicted,
  sendRaw,
  serveColours,
} from './servedColours.ts';

const red = new Uint8Array(await colouredImage(250, 10, 20));
const green = new Uint8Array(await colouredImage(10, 240, 30));
const blue = new Uint8Array(await colouredImage(30, 20, 230));

/** A classifier that computes when it is told to. */
function heldBack(batches: number[] = []) {
  const colours = colourClassifier(batches);
  let go = (): void => undefined;
  let isComputing = false;
  const told = new Promise<void>((resolve) => (go = resolve));
  const probabilities: Classifier['probabilities'] = async (images) => {
    isComputing = true;
    await told;
    return colours.probabilities(images);
  };
  return { classifier: { ...colours, probabilities }, go: () => go(), isComputing: () => isComputing };
}

test('images are answered in the order sent, as predict answers them, and a broken one has its error beside them', async (t) => {
  const server = await serveColours(t);
  const cut = red.slice(0, red.length / 2);
  const response = await classify(server, [
    ['red.jpg', red],
    ['<b>cut</b>.jpg', cut],
    ['blue.jpg', blue],
  ]);
  assert.equal(response.status, 200);
  const { images } = await answerOf(response);
  assert.deepEqual(images, [
    await predicted('red.jpg', red),
    await predicted('<b>cut</b>.jpg', cut),
    await predicted('blue.jpg', blue),
  ]);
  assert.ok('error' in (images[1] ?? {}));
});

test('one image is sent as its bytes, and the query says how many classes are told', async (t) => {
  const { address } = await serveColours(t);
  for (const type of ['image/jpeg', 'image/anything', 'application/octet-stream']) {
    const headers = { 'Content-Type': type };
    const response = await fetch(`${address}/classify?top=1`, { method: 'POST', body: green, headers });
    assert.deepEqual((await answerOf(response)).images, [await predicted('image', green, 1)]);
  }
});

test('what is below the threshold kept with the checkpoint is told as rejected', async (t) => {
  const calibration = {
    temperature: { 1: 1, 5: 1 },
    images: 9,
    rejection: { targetError: 0.1, threshold: { 5: 0.95 } },
  };
  const server = await serveColours(t, { classifier: { ...colourClassifier(), calibration } });
  const grey = new Uint8Array(await colouredImage(100, 100, 100));
  const response = await classify(server, [
    ['green.jpg', new Uint8Array(await colouredImage(0, 255, 0))],
    ['grey.jpg', grey],
  ]);
  assert.deepEqual(
    (await answerOf(response)).images.map((image) => 'rejected' in image && image.rejected),
    [false, true],
  );
});

test('what cannot be answered is refused with a sentence', async (t) => {
  const { address } = await serveColours(t);
  const post = async (body: Uint8Array<ArrayBuffer> | string | FormData, type?: string, query = '') => {
    const headers = type === undefined ? {} : { 'Content-Type': type };
    const response = await fetch(`${address}/classify${query}`, { method: 'POST', body, headers });
    const { error } = await answerOf(response);
    assert.doesNotMatch(error, /\n|\bat \S+:\d/u);
    return [response.status, error];
  };
  const parts = (count: number) => {
    const form = new FormData();
    for (let index = 0; index < count; index++) form.append(`part${index}`, new Blob(['x']), 'x.jpg');
    return form;
  };
  const tooLarge = 'The image has more than 1 MB; send less.';
  assert.deepEqual(await post(new Uint8Array(2 ** 20 + 1), 'image/png'), [413, tooLarge]);
  assert.deepEqual(await post(new Uint8Array(4 * 2 ** 20), 'image/png'), [413, tooLarge]);
  const large = new FormData();
  large.append('image', new Blob([new Uint8Array(2 ** 20 + 1)]), 'large.png');
  assert.deepEqual(await post(large), [413, tooLarge]);
  assert.deepEqual(await post(new Uint8Array(5 * 2 ** 20), 'image/png'), [
    413,
    'The request has more than 4 MB; send less.',
  ]);
  const tooMany = 'The request has more than 4 images; send them in several requests.';
  assert.deepEqual(await post(parts(5)), [413, tooMany]);
  assert.deepEqual(await post(parts(1000)), [413, tooMany]);
  const damaged = 'The body is cut short or damaged; send it again.';
  assert.deepEqual(await post('--a\r\nContent-Disposition: form-data; name="x"', 'multipart/form-data; boundary=a'), [
    400,
    damaged,
  ]);
  assert.deepEqual(await post('', 'image/png'), [400, 'The request holds no image.']);
  assert.deepEqual(await post(new FormData()), [400, 'The request holds no image.']);
  const types = 'Send images as multipart/form-data, or one as its bytes with its type, such as image/jpeg.';
  assert.deepEqual(await post('{}', 'application/json'), [415, types]);
  assert.deepEqual(await post('x', 'text/plain'), [415, types]);
  for (const top of ['0', 'a', '1e3', '-1', '999999']) {
    const [status, error] = await post(red, 'image/jpeg', `?top=${top}`);
    assert.deepEqual([status, /^Correct the query “top”: .+\.$/u.test(String(error))], [400, true], top);
  }
  assert.equal((await post(red, 'image/jpeg', '?topp=1'))[0], 400);
  assert.equal((await fetch(`${address}/../etc/passwd`)).status, 404);
  const unreadable = await fetch(`${address}/%`);
  assert.deepEqual([unreadable.status, await unreadable.json()], [400, { error: 'The request cannot be understood.' }]);
});

test('a connection that sends no request, or none in time, gets a sentence and is closed', async (t) => {
  const { address } = await serveColours(t, { limits: { headerSeconds: 1, requestSeconds: 1 } });
  const [broken, large, slowHeader, slowBody, alive] = await Promise.all([
    sendRaw(address, '\x16\x03\x01 hello\r\n\r\n'),
    sendRaw(address, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
    sendRaw(address, 'POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-'),
    sendRaw(
      address,
      'POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\nabc',
    ),
    delay(800).then(() => fetch(`${address}/health`)),
  ]);
  assert.match(broken, /^HTTP\/1\.1 400 [^]*\{"error":"The request is not HTTP\."\}$/u);
  assert.match(large, /^HTTP\/1\.1 431 [^]*\{"error":"The header of the request is too large\."\}$/u);
  for (const slow of [slowHeader, slowBody]) {
    assert.match(slow, /^HTTP\/1\.1 408 [^]*\{"error":"The request did not come in time\."\}$/u);
  }
  assert.equal(alive.status, 200);
});

test('images of different requests go through the network together', async (t) => {
  const batches: number[] = [];
  const { classifier, go } = heldBack(batches);
  let decoded = 0;
  const crop: typeof pool.crop = (wish) => pool.crop(wish).finally(() => decoded++);
  const server = await serveColours(t, { classifier, pool: { ...pool, crop } });
  const answers = [red, green, blue, red, green].map((image, index) => classify(server, [[`${index}.jpg`, image]]));
  await until('all wait for the network', () => decoded === 5);
  go();
  const images = (await Promise.all(answers.map(async (answer) => (await answerOf(await answer)).images))).flat();
  const sent = [red, green, blue, red, green];
  assert.deepEqual(images, await Promise.all(sent.map((image, index) => predicted(`${index}.jpg`, image))));
  // Crops, five an image.
  assert.ok(batches.length < 5 && batches.reduce((sum, crops) => sum + crops) === 25, batches.join(' '));
});

test('when too many images wait the server says so at once, and answers what it has accepted', async (t) => {
  const { classifier, go } = heldBack();
  const server = await serveColours(t, { classifier, limits: { waitingImages: 3 } });
  const three = [red, green, blue].map((image, index) => [`${index}.jpg`, image] as const);
  const accepted = classify(server, three);
  await hasWaiting(server, 3);
  const refused = await classify(server, [['late.jpg', red]]);
  assert.deepEqual([refused.status, refused.headers.get('Retry-After')], [503, '1']);
  assert.equal((await answerOf(refused)).error, 'The server is busy; try again in a moment.');
  assert.match(await figuresOf(server.address), /^fivecrop_waiting_images 3$/mu);
  go();
  assert.equal((await answerOf(await accepted)).images.length, 3);
  assert.equal((await classify(server, [['late.jpg', red]])).status, 200);
});

test('bodies that all clients hold back together stay within a limit', async (t) => {
  const { address } = await serveColours(t, { limits: { heldBytes: 600_000, stopSeconds: 0.2 } });
  const head =
    'POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 500001\r\n\r\n';
  let isHoldingBack = false;
  const holdBack = async () => {
    isHoldingBack = true;
    await sendRaw(address, head, new Uint8Array(500_000)).catch(() => '');
    isHoldingBack = false;
  };
  const headers = { 'Content-Type': 'image/png' };
  const post = () => fetch(`${address}/classify`, { method: 'POST', body: new Uint8Array(500_000), headers });
  let second: Response | undefined;
  await until('the server holds what the first has sent', async () => {
    // It may still be on its way, or have been refused because a second one was there before it.
    if (!isHoldingBack) void holdBack();
    second = await post();
    return second.status !== 200;
  });
  assert.deepEqual([second?.status, second?.headers.get('Retry-After')], [503, '1']);
  const small = await fetch(`${address}/classify`, { method: 'POST', body: red, headers });
  assert.equal(small.status, 200);
});

test('what a client waited for is not computed if it leaves', async (t) => {
  const batches: number[] = [];
  const log: string[] = [];
  const { classifier, go, isComputing } = heldBack(batches);
  const server = await serveColours(t, { classifier, log: (line) => log.push(line) });
  const first = classify(server, [['first.jpg', red]]);
  await until('the first is in the network', () => isComputing());
  const leaving = new AbortController();
  const headers = { 'Content-Type': 'image/jpeg' };
  const left = fetch(`${server.address}/classify`, { method: 'POST', body: green, headers, signal: leaving.signal });
  await hasWaiting(server, 2);
  leaving.abort();
  await assert.rejects(left);
  await until('the server sees it leave', async () => (await figuresOf(server.address)).includes('status="499"'));
  go();
  assert.equal((await first).status, 200);
  const metrics = await figuresOf(server.address);
  assert.match(metrics, /^fivecrop_waiting_images 0$/mu);
  for (const status of [200, 499]) {
    assert.ok(metrics.includes(`\nfivecrop_requests_total{route="/classify",status="${status}"} 1\n`), metrics);
  }
  assert.deepEqual([batches, log], [[5], []]);
});

test('with a token, images and figures are for who bears it, and health for everyone', async (t) => {
  const token = 'a-token-of-some-length';
  const { address } = await serveColours(t, { token });
  const post = (headers: Record<string, string>) =>
    fetch(`${address}/classify`, { method: 'POST', body: red, headers: { 'Content-Type': 'image/jpeg', ...headers } });
  const refused = await post({});
  assert.deepEqual([refused.status, refused.headers.get('WWW-Authenticate')], [401, 'Bearer']);
  assert.equal((await post({ Authorization: `Bearer ${token}y` })).status, 401);
  assert.equal((await post({ Authorization: `Bearer ${token}` })).status, 200);
  for (const path of ['/metrics', '/openapi.json']) assert.equal((await fetch(`${address}${path}`)).status, 401, path);
  for (const path of ['/health', '/health/live', '/health/ready']) {
    assert.equal((await fetch(`${address}${path}`)).status, 200, path);
  }
});

test('a page that knows the server by another name, or is of another origin, is refused', async (t) => {
  const { address } = await serveColours(t);
  for (const headers of [{ Host: 'evil.example' }, { Origin: 'http://evil.example' }]) {
    const { status, text, headers: answered } = await ask(address, '/health', headers);
    assert.equal(status, 403);
    assert.deepEqual(Object.keys(JSON.parse(text) as object), ['error']);
    assert.equal(answered['access-control-allow-origin'], undefined);
  }
  assert.equal((await ask(address, '/health', { Host: new URL(address).host, Origin: address })).status, 200);
});

test('a server that stops answers what it has accepted, and refuses the rest', async (t) => {
  const { classifier, go } = heldBack();
  // Ends before the server, also where something before it fails.
  t.after(go);
  const server = await serveColours(t, { classifier, limits: { stopSeconds: 600 } });
  const accepted = classify(server, [['red.jpg', red]]);
  await hasWaiting(server, 1);
  const late = await openConnection(server.address);
  // On its way when the stop comes.
  late.send('POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 0\r\n\r\n');
  const stopped = server.stop();
  assert.match(await late.answer, /^HTTP\/1\.1 503 /u);
  const isRefused = () => fetch(`${server.address}/health`).then(() => false, () => true); // prettier-ignore
  await until('no connection is taken any more', isRefused);
  go();
  assert.deepEqual((await answerOf(await accepted)).images, [await predicted('red.jpg', red)]);
  await stopped;
});

test(
  'a server that stops waits no longer than it may for a request that does not end',
  { timeout: 120_000 },
  async (t) => {
    const server = await serveColours(t, { limits: { stopSeconds: 0.2, requestSeconds: 20 } });
    const half = await openConnection(server.address);
    half.send('POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\nabc');
    await fetch(`${server.address}/health`);
    await server.stop();
    assert.equal(await half.answer.catch(() => ''), '', 'the connection is closed without an answer');
  },
);

test('a port that is in use is a user error that says what to do', async (t) => {
  const { address } = await serveColours(t);
  await assert.rejects(serveColours(t, { port: Number(new URL(address).port) }), {
    name: 'UserError',
    message: /is in use; choose another one by --port/,
  });
});

test('answers are as the OpenAPI document describes them', async (t) => {
  const server = await serveColours(t);
  type Document = {
    openapi: string;
    paths: Record<
      string,
      Record<
        string,
        {
          requestBody?: { content: object };
          responses: Record<string, { content: { 'application/json': { schema: object } } }>;
        }
      >
    >;
  };
  const document = (await (await fetch(`${server.address}/openapi.json`)).json()) as Document;
  assert.equal(document.openapi, '3.1.0');
  const post = document.paths['/classify']?.['post'];
  assert.deepEqual(Object.keys(post?.requestBody?.content ?? {}), [
    'multipart/form-data',
    'image/*',
    'application/octet-stream',
  ]);
  const validate = new Ajv2020({ strict: false }).compile(
    post?.responses['200']?.content['application/json'].schema ?? {},
  );
  const response = await classify(server, [
    ['red.jpg', red],
    ['text.txt', new TextEncoder().encode('text')],
  ]);
  const answer: unknown = await response.json();
  assert.ok(validate(answer), JSON.stringify(validate.errors));
  assert.ok(!validate({ images: [{ image: 'x' }] }));
});
