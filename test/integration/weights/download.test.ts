import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { CancelledError, messageOf, UserError, weightsError } from '../../../src/protocol/errors.ts';
import { weightsAdviceForEditor } from '../../../src/protocol/weightsAdvice.ts';
import { endingOf } from '../../../src/ml/cli/failure.ts';
import { downloadFile, type DownloadOptions } from '../../../src/ml/weights/download.ts';
import { patience, withFileLock } from '../../../src/runs/lock.ts';
import { hasWeights, locateFile, locateWeights, lookForWeights } from '../../../src/ml/weights/locateWeights.ts';
import { imagenetPixels, type PretrainedWeights } from '../../../src/ml/networks/weightSets.ts';
import { listNetworks, pretrainedWeights } from '../../../src/ml/networks/registry.ts';
import { hasWritten } from './imitatedHub.ts';

const content = randomBytes(300_000);
const sha256 = createHash('sha256').update(content).digest('hex');

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let handler: Handler = () => undefined;
let requests: { url: string | undefined; range: string | undefined }[] = [];
const server = createServer((request, response) => {
  requests.push({ url: request.url, range: request.headers.range });
  handler(request, response);
});
let base = '';
let root = '';
let folder = '';

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  root = await mkdtemp(join(tmpdir(), 'fivecrop-download-'));
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  requests = [];
  handler = whole;
  folder = await mkdtemp(join(root, 'case-'));
});

const whole: Handler = (_, response) => response.writeHead(200, { 'content-length': content.length }).end(content);

/** Sends what a range asks for, and cuts the line once `limit` bytes of it are written, as long as there is more. */
const cutting =
  (limit: number): Handler =>
  (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers = {
      'content-length': content.length - from,
      'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
    };
    response.writeHead(from > 0 ? 206 : 200, headers);
    if (content.length - from <= limit) {
      response.end(content.subarray(from));
      return;
    }
    response.write(content.subarray(from, from + limit));
    void hasWritten(join(folder, 'weights.pth.part'), from + limit).then(() => response.destroy());
  };

const optionsFor = (more: Partial<DownloadOptions> = {}): DownloadOptions => ({
  url: `${base}/weights.pth`,
  path: join(folder, 'weights.pth'),
  sha256: sha256.slice(0, 8),
  retryMilliseconds: 10,
  ...more,
});

test('a file arrives whole, checked, with progress, and nothing else is left', async () => {
  const seen: number[] = [];
  await downloadFile(
    optionsFor({
      bytes: content.length,
      onProgress: ({ received, total }) => {
        assert.equal(total, content.length);
        seen.push(received);
      },
    }),
  );
  assert.deepEqual(await readFile(join(folder, 'weights.pth')), content);
  assert.deepEqual(await readdir(folder), ['weights.pth']);
  assert.equal(seen.at(-1), content.length);
});

test('a cut connection is taken up where it broke', async () => {
  handler = cutting(120_000);
  await downloadFile(optionsFor());
  assert.deepEqual(await readFile(join(folder, 'weights.pth')), content);
  assert.deepEqual(
    requests.map(({ range }) => range),
    [undefined, 'bytes=120000-', 'bytes=240000-'],
  );
});

test('a connection that is cut again and again is a user error, and the next call goes on from the part', async () => {
  handler = cutting(50_000);
  await assert.rejects(downloadFile(optionsFor()), UserError);
  assert.deepEqual(await readdir(folder), ['weights.pth.part']);
  requests = [];
  handler = cutting(content.length);
  await downloadFile(optionsFor());
  assert.deepEqual(
    requests.map(({ range }) => range),
    ['bytes=150000-'],
  );
  assert.deepEqual(await readFile(join(folder, 'weights.pth')), content);
});

test('a server without ranges starts over', async () => {
  await writeFile(join(folder, 'weights.pth.part'), content.subarray(0, 1000));
  await downloadFile(optionsFor());
  assert.deepEqual(await readFile(join(folder, 'weights.pth')), content);
});

test('a part of another file is thrown away and fetched anew', async () => {
  await writeFile(join(folder, 'weights.pth.part'), randomBytes(1000));
  handler = cutting(content.length);
  await downloadFile(optionsFor());
  assert.deepEqual(await readFile(join(folder, 'weights.pth')), content);
});

test('a file of another hash or size is refused and does not stay', async () => {
  for (const wrong of [{ sha256: '00000000' }, { bytes: content.length + 1 }, { bytes: 10 }]) {
    await assert.rejects(downloadFile(optionsFor(wrong)), UserError);
    assert.equal((await readdir(folder)).includes('weights.pth'), false);
    await rm(join(folder, 'weights.pth.part'), { force: true });
  }
});

test('a 404 is asked for once, a 503 three times, and the error says the number', async () => {
  for (const [status, times] of [
    [404, 1],
    [503, 3],
  ] as const) {
    requests = [];
    handler = (_, response) => response.writeHead(status).end();
    await assert.rejects(downloadFile(optionsFor()), new RegExp(`answered ${status}`));
    assert.equal(requests.length, times);
  }
});

test('an abort stops a running download at once, as a cancellation', async () => {
  const controller = new AbortController();
  handler = (_, response) => {
    response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 1000));
  };
  const running = downloadFile(optionsFor({ signal: controller.signal, onProgress: () => controller.abort() }));
  await assert.rejects(running, CancelledError);
  await assert.rejects(downloadFile(optionsFor({ signal: controller.signal })), CancelledError);
});

const weights: PretrainedWeights = {
  network: 'tiny',
  name: 'TINY',
  preprocessing: imagenetPixels(),
  top1: 0,
  megabytes: 0,
  sources: [
    { file: 'tiny.safetensors', url: 'http://127.0.0.1:9/hub/tiny/model.safetensors', sha256 },
    { file: `tiny-${sha256.slice(0, 8)}.pth`, url: 'http://127.0.0.1:9/tiny.pth', sha256: sha256.slice(0, 8) },
  ],
};
const torchFile = `tiny-${sha256.slice(0, 8)}.pth`;

test('a mirror serves files by name or as the hub arranges them, and is asked once', async () => {
  for (const path of ['/mirror/tiny.safetensors', '/mirror/hub/tiny/model.safetensors', `/mirror/${torchFile}`]) {
    const weightsFolder = await mkdtemp(join(folder, 'w-'));
    handler = (request, response) => {
      if (request.url === path) whole(request, response);
      else response.writeHead(404).end();
    };
    const options = { weightsFolder, mirror: `${base}/mirror/`, retryMilliseconds: 10 };
    const found = await locateFile(weights, options);
    assert.deepEqual(await readFile(found), content);
    const { length } = requests;
    assert.equal(await locateFile(weights, options), found);
    assert.equal(requests.length, length);
    assert.deepEqual(await readdir(weightsFolder), [found.slice(weightsFolder.length + 1)]);
  }
});

test('a file that a user put into the folder, and one in a mirror folder, are used where they are', async () => {
  await writeFile(join(folder, torchFile), content);
  assert.equal(await locateFile(weights, { weightsFolder: folder }), join(folder, torchFile));
  const empty = join(folder, 'empty');
  await mkdir(empty);
  await copyFile(join(folder, torchFile), join(folder, 'tiny.safetensors'));
  assert.equal(await locateFile(weights, { weightsFolder: empty, mirror: folder }), join(folder, 'tiny.safetensors'));
  assert.equal(requests.length, 0);
});

test('a file under the right name with another content is refused by name', async () => {
  await writeFile(join(folder, torchFile), 'something else');
  await assert.rejects(locateFile(weights, { weightsFolder: folder }), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.kind, 'weights');
    assert.ok(error.message.startsWith(`${join(folder, torchFile)} is another file than its name says (`));
    return true;
  });
});

test('without a network the error says which file to put where', async () => {
  // Port 9 (discard) of this machine answers nobody.
  await assert.rejects(locateFile(weights, { weightsFolder: folder, retryMilliseconds: 10 }), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.kind, 'weights');
    assert.equal(
      error.message,
      `The pretrained weights of tiny (tiny.safetensors or ${torchFile}) cannot be downloaded, because 127.0.0.1:9 cannot be reached.`,
    );
    assert.match(messageOf(error.cause), /hub\/tiny\/model\.safetensors could not .*; http:.*tiny\.pth could not/);
    return true;
  });
  await assert.rejects(locateFile(weights, { weightsFolder: folder, mirror: join(folder, 'none') }), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.kind, 'weights');
    assert.match(error.message, /^Neither .* nor the mirror .*none has the pretrained weights of tiny \(tiny\.saf/);
    return true;
  });
});

test('what is said of weights that cannot be had names the setting in the editor and the variable in the shell', () => {
  const reason = 'The pretrained weights of tiny cannot be downloaded.';
  assert.equal(
    weightsAdviceForEditor(reason),
    'The pretrained weights of tiny cannot be downloaded; name a mirror in the settings (fivecrop.weightsMirror) or put the file into the weights folder (fivecrop.weightsFolder).',
  );
  const shell = endingOf(weightsError(reason, 'nothing')).message ?? '';
  assert.match(
    shell,
    /cannot be downloaded; name a mirror with FIVECROP_MIRROR, put the file into .*weights.*--weights/,
  );
});

test('a look for weights downloads nothing: it tells what lies here from what a server has and what nobody has', async () => {
  const options = { weightsFolder: folder, mirror: base };
  const { host } = new URL(base);
  assert.deepEqual(await lookForWeights(weights, options), { state: 'remote', host, bytes: content.length });
  assert.deepEqual(requests, [{ url: '/tiny.safetensors', range: 'bytes=0-0' }]);
  assert.deepEqual(await readdir(folder), []);

  handler = (_, response) => {
    response.writeHead(206, { 'content-range': `bytes 0-0/${content.length}`, 'content-length': 1 }).end('x');
  };
  assert.deepEqual(await lookForWeights(weights, options), { state: 'remote', host, bytes: content.length });

  handler = (_, response) => response.writeHead(404).end();
  await assert.rejects(lookForWeights(weights, options), /because 127\.0\.0\.1:\d+ does not have the file\.$/);
  await assert.rejects(lookForWeights(weights, { weightsFolder: folder }), /127\.0\.0\.1:9 cannot be reached/);

  await writeFile(join(folder, torchFile), content);
  requests = [];
  assert.deepEqual(await lookForWeights(weights, options), { state: 'here' });
  assert.equal(hasWeights(weights, { weightsFolder: join(folder, 'none') }), false);
  assert.equal(hasWeights(weights, { weightsFolder: join(folder, 'none'), mirror: folder }), true);
  assert.equal(requests.length, 0);
});

test('two that want the same file download it once', async () => {
  const options = { weightsFolder: folder, mirror: base, retryMilliseconds: 10 };
  const found = await Promise.all([locateFile(weights, options), locateFile(weights, options)]);
  assert.equal(found[0], found[1]);
  assert.equal(requests.length, 1);
});

test('a lock of an earlier version without a sign of life is taken over, and a fresh one is waited for until the abort', async () => {
  const lock = join(folder, 'x.lock');
  await writeFile(lock, `4194305 ${hostname()}`);
  const longAgo = new Date(Date.now() - 2 * patience);
  await utimes(lock, longAgo, longAgo);
  assert.equal(await withFileLock(lock, () => Promise.resolve(7)), 7);
  await writeFile(lock, `${process.pid} ${hostname()}`);
  const controller = new AbortController();
  const waiting = withFileLock(lock, () => Promise.resolve(7), controller.signal);
  controller.abort();
  await assert.rejects(waiting, CancelledError);
});

test('a set of weights is found by its name, and one that is not there is a usage error that lists those that are', () => {
  const { file } = pretrainedWeights('resnet50', 'IMAGENET1K_V2').sources[0] ?? {};
  assert.equal(file, 'resnet50-11ad3fa6.pth');
  assert.equal(pretrainedWeights('resnet50').name, 'IMAGENET1K_V1');
  assert.throws(() => pretrainedWeights('resnet50', 'IMAGENET1K_V9'), /IMAGENET1K_V1 and IMAGENET1K_V2/);
});

test('a network without weights is a usage error that says where those with are listed', async () => {
  await assert.rejects(
    locateWeights('ConvNet1', {}, { weightsFolder: folder }),
    /no pretrained weights for ConvNet1: .*fivecrop networks/,
  );
});

test("the table names torch's files by their hashes and pins the hub's by whole ones", () => {
  const all = listNetworks().flatMap(({ weights }) => weights);
  const fromHub = all.filter(({ network }) => network.startsWith('timm/'));
  const fromTorch = all.filter((set) => !fromHub.includes(set));
  for (const { network, sources } of fromTorch) {
    const torch = sources.at(-1);
    assert.match(torch?.file ?? '', new RegExp(`-${torch?.sha256}\\.pth$`));
    assert.match(torch?.sha256 ?? '', /^[0-9a-f]{8,10}$/);
    for (const { url, sha256: hash } of sources.slice(0, -1)) {
      assert.match(hash ?? '', /^[0-9a-f]{64}$/);
      assert.ok(url.startsWith(`https://huggingface.co/timm/${network}.tv_in1k/resolve/`));
    }
  }
  for (const { network, sources } of fromHub) {
    const source = sources[0];
    const commit = source?.hub?.commit;
    assert.equal(source?.hub?.repository, network);
    assert.equal(source.url, `https://huggingface.co/${network}/resolve/${commit ?? 'main'}/model.safetensors`);
    assert.match(source.sha256 ?? '', commit === undefined ? /^$/ : /^[0-9a-f]{64}$/);
  }
});
