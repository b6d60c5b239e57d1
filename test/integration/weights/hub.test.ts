import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { UserError } from '../../../src/protocol/errors.ts';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { timmConfig } from '../../../src/ml/networks/timm.ts';
import { locateBackbone } from '../../../src/ml/weights/onnxBackbones.ts';
import { locateWeights, pinOfNetwork } from '../../../src/ml/weights/locateWeights.ts';
import { settleNetwork } from '../../../src/ml/training/run/settleNetwork.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { close, commit, hasWritten, type ImitatedHub, imitateHub, listen, sendPart, sha256Of } from './imitatedHub.ts';

const name = 'timm/resnet18.mine_in1k';
const config = timmConfig('resnet18', { features: 512, crop: 0.95, mean: 0.5, std: 0.5 });
const content = randomBytes(200_000);
const variables = ['HF_ENDPOINT', 'HF_TOKEN', 'HTTP_PROXY', 'NO_PROXY', 'no_proxy', 'http_proxy', 'FIVECROP_MIRROR'];
const saved = variables.map((variable) => [variable, process.env[variable]] as const);

function setVariable(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}

let hub: ImitatedHub;
let root = '';
let folder = '';

before(async () => {
  hub = await imitateHub();
  root = await mkdtemp(join(tmpdir(), 'fivecrop-hub-'));
});
after(async () => {
  await hub.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  for (const variable of variables) setVariable(variable, undefined);
  process.env['HF_ENDPOINT'] = hub.address;
  hub.repositories.clear();
  hub.repositories.set(name, { config, content });
  hub.asked.length = 0;
  hub.askedOfStore.length = 0;
  hub.storeAnswer = undefined;
  folder = await mkdtemp(join(root, 'case-'));
});
afterEach(() => {
  for (const [variable, value] of saved) setVariable(variable, value);
});

const options = () => ({ weightsFolder: folder, retryMilliseconds: 10 });
const fetchWeights = async (network = name, impatient = {}) => {
  const pin = await pinOfNetwork(network, options());
  return locateWeights(network, { pin }, { ...options(), ...impatient });
};
const weightsFiles = async () => (await readdir(folder)).filter((file) => !file.endsWith('.json'));

/** Rejects with a user error that is one sentence, and leaves no file of weights. */
async function refused(work: Promise<unknown>, sentence: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, sentence);
    assert.doesNotMatch(error.message, /\n|member|stranger-token/);
    return true;
  });
  assert.deepEqual(
    (await weightsFiles()).filter((file) => !file.endsWith('.part')),
    [],
  );
}

test('a network of the hub that no table lists is built by its configuration, at the commit that was the newest', async () => {
  const pin = await pinOfNetwork(name, options());
  assert.deepEqual(pin, {
    ...{ commit, sha256: sha256Of(content), bytes: content.length, licence: 'apache-2.0' },
    config,
  });
  const network = namedNetwork(name, pin);
  assert.deepEqual([network.features, network.classes, network.licence], [512, 1000, 'apache-2.0']);
  assert.deepEqual(network.preprocessing.mean, [0.5, 0.5, 0.5]);
  assert.deepEqual([network.preprocessing.resize, network.preprocessing.crop], [235, 224]);
  const file = await locateWeights(name, { pin }, options());
  assert.deepEqual(await readFile(file), content);
  const urls = hub.asked.map(({ url }) => url);
  assert.deepEqual(urls, [
    `/api/models/${name}/revision/main?blobs=true`,
    `/${name}/resolve/${commit}/config.json`,
    `/${name}/resolve/${commit}/model.safetensors`,
  ]);
});

test('the commit is decided once: the hub is not asked again, and a later run keeps what its record says', async () => {
  await fetchWeights();
  hub.asked.length = 0;
  hub.repositories.clear();
  const file = await fetchWeights();
  assert.deepEqual(await readFile(file), content);
  const settings = trainingConfigSchema.parse({ data: '.', network: { kind: 'architecture', name } });
  const settled = await settleNetwork(settings, undefined, options());
  assert.equal(settled.network.kind === 'architecture' && settled.network.hub?.commit, commit);
  assert.equal(await settleNetwork(settled, undefined, { weightsFolder: join(folder, 'none') }), settled);
  assert.deepEqual(hub.asked, []);
});

test('what a table fixes is asked for at its commit and nowhere else', async () => {
  const listed = 'timm/vit_small_patch14_dinov2.lvd142m';
  hub.repositories.set(listed, { content });
  hub.repositories.set('onnx-community/dinov2-small', { content, path: 'onnx/model.onnx' });
  // The hub that is imitated has another commit, so these are not there.
  await refused(fetchWeights(listed), /cannot be downloaded/);
  await refused(locateBackbone({ file: 'dinov2-small' }, options()), /cannot be downloaded/);
  const fixed = namedNetwork(listed).weights[0]?.sources[0]?.hub?.commit ?? '';
  assert.match(fixed, /^[0-9a-f]{40}$/);
  const urls = new Set(hub.asked.map(({ url }) => url));
  assert.deepEqual(
    [...urls],
    [
      `/${listed}/resolve/${fixed}/model.safetensors`,
      '/onnx-community/dinov2-small/resolve/8b1f705a3a7f6f062f6bdd21986c1583d3ef105d/onnx/model.onnx',
    ],
  );
});

test('a token goes to the hub and not to the server that it sends to', async () => {
  process.env['HF_TOKEN'] = ' member-token\n';
  hub.repositories.set(name, { config, content, gated: true });
  await fetchWeights();
  assert.ok(hub.asked.length > 0 && hub.asked.every(({ authorization }) => authorization === 'Bearer member-token'));
  assert.deepEqual(
    hub.askedOfStore.map(({ authorization }) => authorization),
    [undefined],
  );
});

test('a token goes to no mirror', async () => {
  process.env['HF_TOKEN'] = 'member-token';
  process.env['HF_ENDPOINT'] = 'https://hub.example';
  const mirrored = { ...options(), mirror: hub.address };
  const pin = await pinOfNetwork(name, mirrored);
  await locateWeights(name, { pin }, mirrored);
  assert.ok(hub.asked.every(({ authorization }) => authorization === undefined));
});

test('a repository that asks for a login says what to do, with the token that there is', async () => {
  hub.repositories.set(name, { config, content, gated: true });
  await refused(
    fetchWeights(),
    /asks for a login \(agree to the license on http:\S+resnet18\.mine_in1k if .* HF_TOKEN/,
  );
  process.env['HF_TOKEN'] = 'stranger-token';
  await refused(fetchWeights(), /does not let the account of HF_TOKEN have it \(agree to the license on/);
  process.env['HF_TOKEN'] = 'old-token';
  await refused(fetchWeights(), /does not accept the token in HF_TOKEN/);
  process.env['HF_TOKEN'] = 'two\u00e9';
  await refused(fetchWeights(), /^HF_TOKEN holds characters that no token/);
});

test('what the hub has not, or does not say, is one sentence each', async () => {
  await refused(fetchWeights('timm/nothing.at_all'), /has no timm\/nothing\.at_all\.$/);
  const cases = [
    [
      { config: { ...config, architecture: 'beit_base_patch16_224' } },
      /architecture beit_base_patch16_224, and of timm/,
    ],
    [{ config: '{"architecture": 7}' }, /config\.json of timm.* cannot be understood \(architecture: /],
    [{ config: 'no JSON' }, /config\.json of timm.* is not JSON/],
    [{ config: { ...config, model_args: { block_args: 3 } } }, /is built with block_args, which is not supported/],
    [
      { config, said: { blobId: 'f'.repeat(40) } },
      /config\.json of timm.* is another file than 127\.0\.0\.1:\d+ lists/,
    ],
    [{ config, said: { sha256: 'zz' } }, /What 127\.0\.0\.1:\d+ says of timm.*cannot be understood/],
  ] as const;
  for (const [repository, sentence] of cases) {
    folder = await mkdtemp(join(root, 'case-'));
    hub.repositories.set(name, { content, ...repository });
    const work = pinOfNetwork(name, options()).then((pin) => namedNetwork(name, pin));
    await refused(
      work.catch((error: unknown) => {
        // A name's RangeError becomes a usage error where it is opened.
        throw error instanceof RangeError ? new UserError(error.message) : error;
      }),
      sentence,
    );
  }
});

test('a file of another hash or size than the hub says, cut off, stalled or refused, is not used', async () => {
  hub.storeAnswer = (request, response, whole) => sendPart(request, response, Buffer.from(whole).fill(1, 0, 1));
  await refused(fetchWeights(), /has another file under its name/);
  hub.storeAnswer = (_, response, whole) => void response.end(Buffer.concat([whole, whole]));
  await refused(fetchWeights(), /has another file under its name/);
  hub.storeAnswer = (_, response) => void response.writeHead(500).end();
  await refused(fetchWeights(), /answered 500/);
  hub.storeAnswer = (_, response) => void response.writeHead(404).end();
  const store = new URL(hub.store).host;
  await refused(fetchWeights(), new RegExp(`sends to ${store}, which does not have the file`));
  // The hub has let the file be had, so a login is not what is lacking.
  process.env['HF_TOKEN'] = 'member';
  hub.storeAnswer = (_, response) => void response.writeHead(403).end();
  await refused(fetchWeights(), new RegExp(`sends to ${store}, which does not have the file`));
  const part = join(folder, 'resnet18.mine_in1k.safetensors.part');
  const breakOff = async (response: ServerResponse, whole: Buffer) => {
    // Of an earlier attempt.
    await rm(part, { force: true });
    response.writeHead(200, { 'content-length': whole.length }).write(whole.subarray(0, 70_000));
    await hasWritten(part, 70_000);
    response.destroy();
  };
  hub.storeAnswer = (_, response, whole) => void breakOff(response, whole);
  await refused(fetchWeights(), /broke off before the file was whole \(what has arrived is kept: try again\)/);
  let answers = 0;
  hub.storeAnswer = (_, response, whole) => {
    answers += 1;
    response.writeHead(200, { 'content-length': whole.length });
    response.write(whole.subarray(0, 70_000));
  };
  await refused(fetchWeights(name, { stallMilliseconds: 500 }), /broke off before the file was whole/);
  assert.equal(answers, 3, 'a connection that stalls is given up, and another one tried');
  hub.storeAnswer = () => {
    answers += 1;
  };
  await refused(fetchWeights(name, { stallMilliseconds: 500 }), /cannot be reached/);
  assert.equal(answers, 6, 'and so is one that is not answered');
  assert.deepEqual(await weightsFiles(), [basename(part)]);
  hub.storeAnswer = undefined;
  assert.deepEqual(await readFile(await fetchWeights()), content);
});

test('redirects without end, or to an address of another kind, are given up', async () => {
  hub.storeAnswer = (request, response) => void response.writeHead(302, { location: `${request.url ?? ''}x` }).end();
  await refused(fetchWeights(), /redirects endlessly/);
  hub.storeAnswer = (_, response) => void response.writeHead(302, { location: 'file:///etc/hosts' }).end();
  await refused(fetchWeights(), /redirects to an address of another kind \(file:\)/);
});

test('the proxy that the environment names is used, but not for what NO_PROXY names', async () => {
  const passed: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket, head) => {
    passed.push(request.url ?? '');
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  try {
    process.env['HTTP_PROXY'] = await listen(proxy);
    await fetchWeights();
    assert.ok(passed.includes(new URL(hub.address).host) && passed.includes(new URL(hub.store).host));
    passed.length = 0;
    process.env['NO_PROXY'] = '127.0.0.1';
    folder = await mkdtemp(join(root, 'case-'));
    await fetchWeights();
    assert.deepEqual(passed, []);
  } finally {
    await close(proxy);
  }
  delete process.env['NO_PROXY'];
  process.env['HTTP_PROXY'] = 'no address at all';
  folder = await mkdtemp(join(root, 'case-'));
  await refused(fetchWeights(), /names a proxy that is not an address/);
});

test('a file that a user put into the folder is taken with the hash that it has, and with the configuration beside it', async () => {
  process.env['HF_ENDPOINT'] = 'http://127.0.0.1:9';
  await writeFile(join(folder, 'resnet18.mine_in1k.safetensors'), content);
  await assert.rejects(fetchWeights(), /127\.0\.0\.1:9 cannot be reached/);
  await writeFile(join(folder, 'resnet18.mine_in1k.config.json'), JSON.stringify(config));
  const pin = await pinOfNetwork(name, options());
  assert.deepEqual([pin?.commit, pin?.sha256], [undefined, sha256Of(content)]);
  assert.equal(await fetchWeights(), join(folder, 'resnet18.mine_in1k.safetensors'));
  const mirror = await mkdtemp(join(root, 'mirror-'));
  await copyFile(join(folder, 'resnet18.mine_in1k.safetensors'), join(mirror, 'resnet18.mine_in1k.safetensors'));
  await assert.rejects(
    pinOfNetwork(name, { weightsFolder: join(root, 'empty'), mirror }),
    /^UserError: Neither .* nor the mirror .* has the pretrained weights of timm\/resnet18/,
  );
});
