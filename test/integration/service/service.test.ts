import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FeatureMap } from '../../../src/protocol/featureMap.ts';
import type { Cleaning, CleaningAction } from '../../../src/protocol/cleaning.ts';
import { CancelledError, UserError } from '../../../src/protocol/errors.ts';
import type { PublishedWeights, ServiceAnswerBody, ServiceRequestBody } from '../../../src/protocol/serviceProtocol.ts';
import { createServiceProcess, type ServiceProcess } from '../../../src/extension/service/serviceProcess.ts';
import { drawSampleDataset } from '../../../src/ml/data/drawSampleDataset.ts';
import { timmConfig } from '../../../src/ml/networks/timm.ts';
import { imitateHub } from '../weights/imitatedHub.ts';
import { until } from '../../e2e/until.ts';
import { fivecrop } from '../cli/runCommand.ts';
import { writeRandomCheckpoint } from '../../unit/inference/checkpointFixture.ts';

// The real process, asked by the client that the editor uses.
let folder = '';
let service: ServiceProcess;
const said: string[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fivecrop-service-'));
  service = startService();
  await drawSampleDataset(join(folder, 'flowers'), 0);
});
after(async () => {
  service.dispose();
  await rm(folder, { recursive: true, force: true });
});

function startService(idleMilliseconds = 60_000, environment: NodeJS.ProcessEnv = {}): ServiceProcess {
  return createServiceProcess({
    script: join(import.meta.dirname, '../../../dist/ml/service.mjs'),
    environment: () => ({ ...process.env, NODE_OPTIONS: '', FIVECROP_CUDA: join(folder, 'cuda'), ...environment }),
    onOutput: (line) => said.push(line),
    idleMilliseconds,
  });
}

async function answersTo(request: ServiceRequestBody, signal?: AbortSignal): Promise<ServiceAnswerBody[]> {
  const answers: ServiceAnswerBody[] = [];
  await service.request(request, { onAnswer: (answer) => answers.push(answer), ...(signal ? { signal } : {}) });
  return answers;
}

const onCpu = { engine: 'onnx', device: 'cpu' } as const;

type PredictRequest = Extract<ServiceRequestBody, { type: 'predict' }>;

function predictRequest(
  checkpoint: string,
  images: readonly string[],
  changes: Partial<PredictRequest> = {},
): PredictRequest {
  const source = { kind: 'checkpoint', path: checkpoint } as const;
  const shown = { crops: 5, topK: 3, thumbnail: 32 } as const;
  return { type: 'predict', images: [...images], source, ...shown, precision: 'float32', ...onCpu, ...changes };
}

function ofType<Type extends ServiceAnswerBody['type']>(answers: readonly ServiceAnswerBody[], type: Type) {
  return answers.filter((answer): answer is Extract<ServiceAnswerBody, { type: Type }> => answer.type === type);
}

test('where a class was seen is said crop by crop, of the class that is asked for', async () => {
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const images = join(folder, 'flowers', 'test', '1');
  const image = join(images, (await readdir(images))[0] ?? '');
  const source = { kind: 'checkpoint', path: checkpoint } as const;
  const answers = await answersTo({ type: 'explain', image, source, crops: 5, classIndex: 2, ...onCpu });
  const found = answers.find((answer) => answer.type === 'explanation')?.explanation;
  assert.deepEqual([found?.image, found?.index, found?.crops.length], [image, 2, 5]);
  const values = found?.crops.flatMap(({ map }) => map.flat()) ?? [];
  assert.ok(values.length >= 5 && values.every((value) => value >= 0 && value <= 1));
  const stopped = AbortSignal.abort();
  await assert.rejects(answersTo({ type: 'explain', image, source, crops: 5, ...onCpu }, stopped), CancelledError);
});

test('predictions are those of the command line, in its order, with thumbnails, and bad files by their reason', async () => {
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const images = join(folder, 'flowers/test/1');
  const answers = await answersTo(predictRequest(checkpoint, [images, checkpoint]));
  const args = ['predict', images, checkpoint, '--checkpoint', checkpoint, '--device', 'cpu', '--top-k', '3', '--json'];
  const { stdout } = await fivecrop(args);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  assert.equal(lines.length, 11);
  const found = answers.flatMap((answer): unknown[] =>
    answer.type === 'prediction' ? [answer.prediction] : answer.type === 'failed' ? [answer.failed] : [],
  );
  assert.deepEqual(found, lines);
  for (const { thumbnail } of ofType(answers, 'prediction')) assert.match(thumbnail, /^data:image\/jpeg;base64,/);
});

test('a classifier stays warm until its file is written anew', async () => {
  await mkdir(join(folder, 'warm'));
  const checkpoint = join(folder, 'warm', 'best.safetensors');
  await copyFile(await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' }), checkpoint);
  const request = predictRequest(checkpoint, [join(folder, 'flowers/test/1/flower_51.jpg')]);
  const loads = async () =>
    ofType(await answersTo(request), 'progress').filter(({ what }) => what.startsWith('Loading'));
  assert.equal((await loads()).length, 1);
  assert.equal((await loads()).length, 0);
  await utimes(checkpoint, new Date(), new Date(Date.now() + 5000));
  assert.equal((await loads()).length, 1);
});

test('in 8 bits, ranges come from images beside few, once; where those are few too, float32 is used and said', async () => {
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const ask = async (image: string, precision: 'float32' | 'int8') => {
    const answers = await answersTo(predictRequest(checkpoint, [image], { precision, topK: 999 }));
    const said = ofType(answers, 'log').map(({ message }) => message);
    const looked = ofType(answers, 'progress').filter(({ what }) => what === 'Measuring the ranges for 8 bits').length;
    return {
      said: said.join('\n'),
      looked,
      means: ofType(answers, 'prediction').map(({ prediction }) => prediction.mean),
    };
  };
  const image = join(folder, 'flowers/train/1/flower_01.jpg');
  const exact = await ask(image, 'float32');
  const first = await ask(image, 'int8');
  assert.match(first.said, /Computed in 8 bits/u);
  const again = await ask(join(folder, 'flowers/train/1/flower_02.jpg'), 'int8');
  assert.deepEqual([first.looked, again.looked], [1, 0]);
  const wanted = new Map(exact.means[0]?.map(({ index, probability }) => [index, probability]));
  for (const { index, probability } of first.means[0] ?? []) {
    const float32 = wanted.get(index) ?? NaN;
    assert.ok(Math.abs(probability - float32) < 0.02, `${probability} for ${float32}`);
  }
  assert.notDeepEqual(first.means, exact.means);

  const alone = join(folder, 'alone.jpg');
  await copyFile(image, alone);
  const few = await ask(alone, 'int8');
  assert.match(few.said, /need 16 images to find their ranges/u);
  assert.deepEqual(few.means, exact.means);
  const flags = ['--checkpoint', checkpoint, '--device', 'cpu', '--top-k', '999', '--json', '--precision', 'int8'];
  const { stdout, stderr } = await fivecrop(['predict', alone, ...flags]);
  assert.match(stderr, /need 16 images to find their ranges/u);
  assert.deepEqual([(JSON.parse(stdout) as { mean: unknown }).mean], exact.means);
});

test('an abort cancels the request that it belongs to, and the next one works', async () => {
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const controller = new AbortController();
  const request = predictRequest(checkpoint, [join(folder, 'flowers/train')]);
  const classified: ServiceAnswerBody[] = [];
  const running = service.request(request, {
    signal: controller.signal,
    onAnswer: (answer) => {
      if (answer.type === 'prediction') classified.push(answer);
      controller.abort();
    },
  });
  await assert.rejects(running, CancelledError);
  assert.ok(classified.length < 200, `${classified.length} images were classified after all`);
  assert.equal(ofType(await answersTo({ type: 'networks' }), 'networks').length, 1);
});

test('a preview has the size of the image that it shows', async () => {
  const image = join(folder, 'flowers/test/1/flower_51.jpg');
  const [preview] = ofType(await answersTo({ type: 'preview', image, size: 48 }), 'preview');
  assert.ok(preview);
  const whole = ofType(await answersTo({ type: 'preview', image, size: 10_000 }), 'preview')[0];
  assert.ok(whole);
  assert.equal(whole.width, preview.width);
  assert.ok(whole.width > 48);
  assert.ok(whole.picture.length > preview.picture.length);
  await assert.rejects(answersTo({ type: 'preview', image: join(folder, 'none.jpg'), size: 9 }), UserError);
});

test('an evaluation is answered and kept beside its checkpoint', async () => {
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const data = join(folder, 'three');
  for (const [at, name] of ['1', '10', '100'].entries()) {
    await mkdir(join(data, 'test', name), { recursive: true });
    await copyFile(join(folder, `flowers/test/${at + 1}/flower_51.jpg`), join(data, 'test', name, 'one.jpg'));
  }
  const request = { type: 'evaluate', checkpoint, data, split: 'test', crops: 5, ...onCpu } as const;
  const answers = await answersTo(request);
  const [{ evaluation, file } = { evaluation: undefined, file: '' }] = ofType(answers, 'evaluation');
  assert.equal(evaluation?.images, 3);
  assert.deepEqual(JSON.parse(await readFile(file ?? '', 'utf8')), evaluation);
  await assert.rejects(answersTo({ ...request, split: 'train' }), /no images in train; choose test/);
});

test('data is checked, a network exported, and what cannot be done is one sentence', async () => {
  const check = { type: 'check', quick: true, validShare: 0.15, testShare: 0.15, seed: 0, layout: 'auto' } as const;
  const [report] = ofType(await answersTo({ ...check, data: join(folder, 'flowers') }), 'report');
  assert.deepEqual(report?.report.images, { train: 200, valid: 50, test: 50 });
  await assert.rejects(answersTo({ ...check, data: join(folder, 'nowhere') }), UserError);
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const request = { type: 'export', checkpoint } as const;
  const output = join(folder, 'out.onnx');
  const [file] = ofType(await answersTo({ ...request, output, crops: 1 }), 'exported');
  assert.deepEqual(file, { type: 'exported', files: [output], bytes: (await stat(output)).size, tests: 16, ofData: 0, isVerified: true }); // prettier-ignore
  const [model] = ofType(await answersTo({ ...request, output: join(folder, 'model'), format: 'tfjs' }), 'exported');
  assert.deepEqual([model?.tests, model?.isVerified], [16, false]);
  assert.deepEqual((await readdir(join(folder, 'model'))).sort(), model?.files.map((path) => basename(path)).sort());
  await assert.rejects(answersTo({ ...request, checkpoint: folder, output: join(folder, 'x.onnx') }), UserError);
  await assert.rejects(answersTo({ ...request, output: join(folder, 'x.onnx'), format: 'timm' }), /writes a folder/);
});

test('networks come with their published accuracy, and weights that are here are seen', async () => {
  const [answer] = ofType(await answersTo({ type: 'networks', weightsFolder: folder }), 'networks');
  const resnet = answer?.networks.find(({ name }) => name === 'resnet18');
  // torchvision's documentation: 11,689,512 parameters, 69.758 %.
  assert.deepEqual([resnet?.parameters, resnet?.top1, resnet?.weightsHere], [11_689_512, 0.69758, false]);
  assert.equal(answer?.networks.find(({ name }) => name === 'ConvNet1')?.top1, undefined);
});

test('the size of a data set is told with how fast its images decode', async () => {
  const data = { data: join(folder, 'flowers'), validShare: 0.15, testShare: 0.15, seed: 0, layout: 'auto' } as const;
  const [answer] = ofType(await answersTo({ type: 'size', ...data }), 'size');
  assert.deepEqual([answer?.size.train, answer?.size.valid], [200, 50]);
  assert.ok((answer?.size.decodedPerSecond ?? 0) > 1);
});

test('how fast a network is here is measured once, and known from then on', async () => {
  const own = startService(60_000, { FIVECROP_CACHE: join(folder, 'cache') });
  const speedsOf = async (measure: boolean) => {
    const answers: ServiceAnswerBody[] = [];
    const request = { type: 'speeds', networks: ['ConvNet1'], measure, ...onCpu } as const;
    await own.request({ ...request, networks: [...request.networks] }, { onAnswer: (answer) => answers.push(answer) });
    return ofType(answers, 'speed').map(({ network, imagesPerSecond }) => [network, imagesPerSecond]);
  };
  try {
    assert.deepEqual(await speedsOf(false), []);
    const measured = await speedsOf(true);
    assert.deepEqual(measured.map(([network]) => network), ['ConvNet1']); // prettier-ignore
    assert.deepEqual(await speedsOf(false), measured);
  } finally {
    own.dispose();
  }
});

test('weights that cannot be had are answered with the reason, and what was tried goes to the log', async () => {
  // Port 9 (discard) of this machine answers nobody.
  const squeezenet = { kind: 'architecture', name: 'squeezenet1_1' } as const;
  const own = startService(60_000, {
    FIVECROP_WEIGHTS: join(folder, 'weights'),
    FIVECROP_MIRROR: 'http://127.0.0.1:9',
  });
  try {
    const answers: ServiceAnswerBody[] = [];
    const onAnswer = (answer: ServiceAnswerBody) => answers.push(answer);
    await own.request({ type: 'weights', weights: squeezenet, fetch: false }, { onAnswer });
    await own.request({ type: 'weights', weights: squeezenet, fetch: true }, { onAnswer });
    const reason =
      'The pretrained weights of squeezenet1_1 (squeezenet1_1-b8a52dc0.pth) cannot be downloaded, because 127.0.0.1:9 cannot be reached.';
    const missing = { type: 'weights', weights: { state: 'missing', reason } };
    assert.deepEqual(ofType(answers, 'weights'), [missing, missing]);
    assert.match(ofType(answers, 'log')[1]?.message ?? '', /What was tried: http:\/\/127\.0\.0\.1:9\/squeezenet1_1/);
    const set = { kind: 'architecture', name: 'resnet50', set: 'IMAGENET1K_V2' } as const;
    await own.request({ type: 'weights', weights: set, fetch: false }, { onAnswer });
    const ofSet = ofType(answers, 'weights')[2]?.weights;
    // The file of the first set is resnet50-0676ba61.pth.
    assert.match(ofSet?.state === 'missing' ? ofSet.reason : '', /resnet50-11ad3fa6\.pth/);
    await assert.rejects(
      own.request({ type: 'weights', weights: { ...squeezenet, name: 'ConvNet1' }, fetch: false }),
      UserError,
    );
  } finally {
    own.dispose();
  }
});

test('what the hub has is found by its name, also where no table lists it, and by a short name', async () => {
  const hub = await imitateHub();
  const name = 'timm/resnet18.mine_in1k';
  const content = Buffer.from('weights');
  hub.repositories.set(name, { config: timmConfig('resnet18', { features: 512 }), content });
  const onnx = 'onnx-community/mobilenetv4_conv_small.e2400_r224_in1k';
  hub.repositories.set(onnx, { content: Buffer.from('an ONNX file'), path: 'onnx/model.onnx' });
  hub.repositories.set('timm/odd.mine', { config: timmConfig('odd', { features: 512 }), content });
  hub.repositories.set('timm/resnet18.locked', { content, gated: true });
  const weightsFolder = join(folder, 'from-hub');
  const own = startService(60_000, { FIVECROP_WEIGHTS: weightsFolder, HF_ENDPOINT: hub.address, FIVECROP_MIRROR: '', HF_TOKEN: '' }); // prettier-ignore
  const told = async (weights: PublishedWeights, fetch = false) => {
    const answers: ServiceAnswerBody[] = [];
    await own.request({ type: 'weights', weights, fetch }, { onAnswer: (answer) => answers.push(answer) });
    return ofType(answers, 'weights')[0]?.weights;
  };
  const host = new URL(hub.address).host;
  const network = { kind: 'architecture', name } as const;
  const backbone = { kind: 'backbone', name: 'mobilenetv4-small' } as const;
  try {
    assert.deepEqual(await told(network), { state: 'remote', host, bytes: content.length });
    assert.deepEqual(await told(network, true), { state: 'here' });
    assert.deepEqual(await told(network), { state: 'here' });
    assert.deepEqual(await told(backbone), { state: 'remote', host, bytes: 12 });
    assert.deepEqual(await told(backbone, true), { state: 'here' });
    const locked = await told({ ...network, name: 'timm/resnet18.locked' });
    assert.match(locked?.state === 'missing' ? locked.reason : '', /asks for a login .* set HF_TOKEN to it/);
    await assert.rejects(told({ ...network, name: 'timm/odd.mine' }), /is a network of the architecture odd, and of timm only/); // prettier-ignore
    assert.equal((await readdir(weightsFolder)).filter((file) => !file.endsWith('.json')).length, 2);
  } finally {
    own.dispose();
    await hub.close();
  }
});

test('a process that is killed fails its requests with a sentence, and the next request starts another', async () => {
  const own = startService();
  try {
    const killed = own.request(
      {
        type: 'check',
        data: join(folder, 'flowers'),
        quick: false,
        validShare: 0,
        testShare: 0,
        seed: 0,
        layout: 'auto',
      },
      { onAnswer: () => process.kill(own.pid ?? 0, 'SIGKILL') },
    );
    await assert.rejects(killed, (error) => error instanceof UserError && error.message.includes('SIGKILL'));
    const answers: ServiceAnswerBody[] = [];
    await own.request({ type: 'networks' }, { onAnswer: (answer) => answers.push(answer) });
    assert.equal(answers.length, 1);
  } finally {
    own.dispose();
  }
});

test('an idle process ends by itself', async () => {
  const own = startService(50);
  await own.request({ type: 'networks' });
  const { pid } = own;
  assert.ok(pid !== undefined);
  await until('the process has ended', () => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('data are cleaned: figures follow each edit, images keep their features where they are moved, and all comes back', async (t) => {
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const data = join(folder, 'cleaned');
  await cp(join(folder, 'flowers'), data, { recursive: true });
  const before = (await readdir(data, { recursive: true })).sort();
  const [file = ''] = await readdir(join(data, 'train/1'));
  await rename(join(data, 'train/1', file), join(data, 'train/2/moved.jpg'));
  service = startService(60_000, { FIVECROP_CACHE: join(folder, 'cleaning-cache') });
  t.after(() => service.dispose());
  const source = { kind: 'checkpoint', path: checkpoint } as const;
  const clean = async (action: CleaningAction, signal?: AbortSignal) => {
    const answers = await answersTo(
      { type: 'clean', data, source, action, chosen: [], layout: 'auto', ...onCpu },
      signal,
    );
    const [{ cleaning } = assert.fail('there are no figures')] = ofType(answers, 'cleaning');
    // Who lies nearest to whom is looked at once, when a folder is opened.
    const items = cleaning.items.filter(({ kind }) => kind === 'label' || kind === 'unsure');
    return { ...cleaning, milliseconds: 0, counts: {}, items };
  };
  const began = await clean({ kind: 'look' });
  const all = before.filter((path) => path.endsWith('.jpg')).length;
  const each = all / 5;
  assert.deepEqual([began.images, began.edits, began.undo], [all, 0, undefined]);
  const sizes = ({ classes }: Pick<Cleaning, 'classes'>) => classes.map(({ images }) => images - each);
  assert.deepEqual(sizes(began), [-1, 1, 0, 0, 0]);
  const mapNow = async () => {
    const [{ map } = assert.fail('there is no map')] = ofType(await answersTo({ type: 'map', data, source, layout: 'auto', ...onCpu }), 'map'); // prettier-ignore
    return map;
  };
  const map = await mapNow();
  assert.deepEqual([map.images.length, map.leftOut], [all, []]);
  const right = map.images.filter(({ classIndex, likely }) => classIndex === likely).length;
  assert.equal(right / all, began.accuracy, 'both judge by the same head');
  const chosen = map.images.slice(0, 3).map(({ image }) => image);
  const [{ cleaning: ofMap } = assert.fail('there are no figures')] = ofType(await answersTo({ type: 'clean', data, source, action: { kind: 'look' }, chosen, layout: 'auto', ...onCpu }), 'cleaning'); // prettier-ignore
  assert.equal(ofMap.counts.chosen, 3);
  assert.deepEqual(ofMap.items.flatMap(({ kind, image }) => (kind === 'chosen' ? [image] : [])).sort(), chosen.toSorted()); // prettier-ignore
  const moved = await clean({ kind: 'edit', edit: { kind: 'move', images: ['train/2/moved.jpg'], to: '1' } });
  assert.deepEqual(sizes(moved), [0, 0, 0, 0, 0]);
  const mapAfter = await mapNow();
  const onMap = ({ images }: FeatureMap, image: string) => images.find((each) => each.image === image);
  const [from, to] = [onMap(map, 'train/2/moved.jpg'), onMap(mapAfter, 'train/1/moved.jpg')];
  assert.deepEqual([from?.classIndex, to?.classIndex], [1, 0]);
  assert.deepEqual([to?.x, to?.y], [from?.x, from?.y], 'an image keeps its place where it is moved');
  const aside = await clean({ kind: 'edit', edit: { kind: 'putAside', images: ['train/1/moved.jpg'] } });
  assert.deepEqual([aside.images, sizes(aside)[0], aside.edits], [all - 1, -1, 2]);
  await assert.rejects(
    clean({ kind: 'edit', edit: { kind: 'move', images: ['train/9/no.jpg'], to: '1' } }),
    /is gone/u,
  );
  const [first = assert.fail('nothing is suspect')] = aside.items;
  const wrong = aside.items.flatMap(({ kind, image }) => (kind === 'label' ? [image] : []));
  const kept = await clean({ kind: 'edit', edit: { kind: 'keep', images: [...new Set([first.image, ...wrong])] } });
  assert.ok(kept.items.every(({ image }) => image !== first.image));
  assert.ok(aside.estimated > 0);
  assert.equal(kept.estimated, 0, 'classes that somebody has found right count as wrong no more');
  // A process that begins anew sees the same, to the last bit.
  service.dispose();
  service = startService(60_000, { FIVECROP_CACHE: join(folder, 'cleaning-cache') });
  assert.deepEqual(await clean({ kind: 'look' }), kept);
  // An edit that is cancelled while it waits is not made.
  const waiting = new AbortController();
  const looked = clean({ kind: 'look' });
  const stopped = clean({ kind: 'edit', edit: { kind: 'merge', from: '2', to: '1' } }, waiting.signal);
  waiting.abort();
  await assert.rejects(stopped, CancelledError);
  assert.deepEqual(await looked, kept);
  // Paths that other images had before name those that lie there now, and what was kept stays so.
  const renamed = (from: string, to: string) => clean({ kind: 'edit', edit: { kind: 'rename', from, to } });
  await renamed('1', 'one');
  await renamed('2', '1');
  const swapped = await renamed('one', '2');
  assert.equal(swapped.images, kept.images);
  const keptNow = first.image.replace(/\/[12]\//u, (parent) => (parent === '/1/' ? '/2/' : '/1/'));
  assert.ok(swapped.items.every(({ image }) => image !== keptNow));
  service.dispose();
  service = startService(60_000, { FIVECROP_CACHE: join(folder, 'cleaning-cache') });
  assert.deepEqual(await clean({ kind: 'look' }), swapped);
  // What would leave one class is taken back.
  const merged = (from: string) => clean({ kind: 'edit', edit: { kind: 'merge', from, to: '1' } });
  await merged('3');
  await merged('4');
  const two = await merged('5');
  await assert.rejects(merged('2'), /\. The edit was undone\.$/u);
  const { edits, items } = await clean({ kind: 'look' });
  assert.deepEqual({ edits, items }, { edits: two.edits, items: two.items });
  for (let turn = 0; turn < 9; turn++) await clean({ kind: 'undo' });
  assert.deepEqual({ ...(await clean({ kind: 'look' })), redo: undefined }, { ...began, redo: undefined });
  await rename(join(data, 'train/2/moved.jpg'), join(data, 'train/1', file));
  assert.deepEqual((await clean({ kind: 'look' })).images, all);
  await rm(join(data, 'fivecrop-edits.jsonl'));
  assert.deepEqual((await readdir(data, { recursive: true })).sort(), before);
});

test('CUDA is looked for, and what was downloaded for it is removed', async (t) => {
  // Tests before end theirs.
  service = startService();
  t.after(() => service.dispose());
  const downloads = join(folder, 'cuda', 'downloads');
  await mkdir(downloads, { recursive: true });
  await writeFile(join(downloads, 'cudnn.whl.part'), 'abc');
  const [found] = await answersTo({ type: 'cuda', action: 'look' });
  assert.ok(found?.type === 'cuda' && found.bytesOnDisk === 3, JSON.stringify(found));
  // What this machine has decides which.
  if (found.cuda.state === 'impossible') assert.match(found.cuda.reason, /\w$/u, 'a part of a sentence');
  else assert.equal(found.cuda.state, 'offered');
  const [removed] = await answersTo({ type: 'cuda', action: 'remove' });
  assert.ok(removed?.type === 'cuda' && removed.bytesOnDisk === 0, JSON.stringify(removed));
});

test('images get labels: the head follows, edits that wait are looked at once, new images are seen, and all comes back', async (t) => {
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const [data, unlabelled] = [join(folder, 'labelled'), join(folder, 'unlabelled')];
  await cp(join(folder, 'flowers'), data, { recursive: true });
  await rename(join(data, 'train/1'), unlabelled);
  const before = (await readdir(data, { recursive: true })).sort();
  const images = (await readdir(unlabelled)).sort().map((file) => join(unlabelled, file));
  service = startService(60_000, { FIVECROP_CACHE: join(folder, 'cleaning-cache') });
  t.after(() => service.dispose());
  const source = { kind: 'checkpoint', path: checkpoint } as const;
  const label = async (action: CleaningAction, figures = true, first: string[] = []) => {
    const where = { data, unlabelled, source, layout: 'auto', ...onCpu } as const;
    const answers = await answersTo({ type: 'label', ...where, action, first, figures });
    return ofType(answers, 'labelling').map(({ labelling }) => labelling);
  };
  const look = async () => (await label({ kind: 'look' }))[0] ?? assert.fail('there are no figures');
  const edit = (image: string, to: string, figures = true) =>
    label({ kind: 'edit', edit: { kind: 'label', images: [image], to } }, figures);
  const began = await look();
  assert.deepEqual([began.open, began.accuracy?.of, began.curve.length], [images.length, 'validation', 1]);
  assert.deepEqual(began.next.map(({ image }) => image).sort(), images);
  assert.ok(began.next.every(({ likely }) => likely.length === began.classes.length));
  const [a = '', b = '', c = ''] = began.next.map(({ image }) => image);
  assert.deepEqual(await edit(a, '1', false), []);
  const [labelled = assert.fail('there are no figures')] = await edit(b, '1');
  assert.deepEqual([labelled.labels, labelled.open, labelled.edits], [began.labels + 2, images.length - 2, 2]);
  assert.deepEqual(labelled.curve.map(({ labels }) => labels - began.labels), [0, 2]); // prettier-ignore
  await assert.rejects(edit(a, '2'), /is in the data already, as /u);
  const [skipped] = await label({ kind: 'edit', edit: { kind: 'skip', images: [c] } });
  assert.deepEqual([skipped?.skipped, skipped?.next.at(-1)?.image], [1, c]);
  // An image that comes later is looked at, and first if that is asked for.
  const added = join(unlabelled, 'added.jpg');
  const [another = ''] = await readdir(join(data, 'test/3'));
  await rename(join(data, 'test/3', another), added);
  const [more] = await label({ kind: 'look' }, true, [added]);
  assert.equal(more?.next[0]?.image, added);
  await rename(added, join(data, 'test/3', another));
  const listed = await fivecrop(['label', data, unlabelled, '--checkpoint', checkpoint, '--next', '99', '--json'], {
    env: { FIVECROP_CACHE: join(folder, 'cleaning-cache') },
  });
  const [figures, ...next] = listed.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { open: number; image: string }); // prettier-ignore
  assert.equal(figures?.open, images.length - 2, listed.stderr);
  assert.deepEqual(next.map(({ image }) => image), (await look()).next.map(({ image }) => image)); // prettier-ignore
  for (let turn = 0; turn < 3; turn++) await label({ kind: 'undo' });
  const ended = await look();
  assert.deepEqual({ ...ended, redo: undefined, milliseconds: 0 }, { ...began, redo: undefined, milliseconds: 0 });
  const loads = async () => {
    const request = { type: 'label', data, unlabelled, source, layout: 'auto', action: { kind: 'look' }, ...onCpu } as const; // prettier-ignore
    const progress = ofType(await answersTo({ ...request, first: [], figures: true }), 'progress');
    return progress.filter(({ what }) => what === 'Loading the network').length;
  };
  assert.equal(await loads(), 0);
  await utimes(checkpoint, new Date(), new Date(Date.now() + 5000));
  assert.equal(await loads(), 1, 'a checkpoint that was written anew is read anew');
  await rm(join(data, 'fivecrop-edits.jsonl'));
  assert.deepEqual((await readdir(data, { recursive: true })).sort(), before);
});
