import assert from 'node:assert/strict';
import { test } from 'node:test';
import { back, placeAfter, runSteps, type Step } from '../../../src/extension/commands/runSteps.ts';
import { neededWeights, withoutPretrained } from '../../../src/extension/commands/neededWeights.ts';
import { firstRow, networkGroups } from '../../../src/extension/commands/networkList.ts';
import { describeOffer, licenceText } from '../../../src/extension/commands/networkTexts.ts';
import { suggestTrainings, withSuggestion } from '../../../src/extension/commands/suggestTrainings.ts';
import {
  configFrom,
  firstChoices,
  methodsFor,
  withNetwork,
  withSettings,
  type TrainingChoices,
} from '../../../src/extension/commands/trainingChoices.ts';
import { parseTrainingConfig, writeTrainingConfig } from '../../../src/extension/commands/trainingConfigFile.ts';
import { parseQueue, enqueue } from '../../../src/extension/trainer/queuedRuns.ts';
import { networkId } from '../../../src/protocol/networkName.ts';
import { UserError } from '../../../src/protocol/errors.ts';
import type { NetworkOffer } from '../../../src/protocol/serviceProtocol.ts';
import { contradictionIn } from '../../../src/protocol/contradictions.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';

const settings = { defaultNetwork: 'resnet18', batchSize: 16 };
const machine = { engine: 'onnx', device: 'cpu', cacheMegabytes: 512 } as const;

test('the last answers come first; where they are not understood, the settings do', () => {
  const first = firstChoices(undefined, settings);
  assert.deepEqual(
    [first.network, first.batchSize],
    [{ kind: 'architecture', name: 'resnet18', pretrained: true, isTransformer: false }, 16],
  );
  const kept: TrainingChoices = { ...first, epochs: 7, method: 'full' };
  assert.deepEqual(firstChoices(structuredClone(kept), settings), kept);
  assert.deepEqual(firstChoices({ ...kept, method: 'of a later version' }, settings), first);
});

const resnet = { kind: 'architecture', name: 'resnet18', pretrained: true, isTransformer: false } as const;

test('a network without pretrained weights trains from scratch, an ONNX file only its head, and adapters are for transformers', () => {
  assert.deepEqual(methodsFor({ ...resnet, name: 'ConvNet2', pretrained: false }), ['scratch']);
  assert.deepEqual(methodsFor({ kind: 'backbone', file: '/m.onnx', preprocess: 'tf' }), ['head']);
  assert.deepEqual(methodsFor({ kind: 'backbone', file: 'dinov2-small' }), ['head']);
  assert.deepEqual(methodsFor(resnet), ['head', 'top', 'full', 'scratch']);
  assert.deepEqual(methodsFor({ ...resnet, isTransformer: true }), ['head', 'top', 'lora', 'full', 'scratch']);
  const vit = {
    ...firstChoices(undefined, settings),
    network: { ...resnet, isTransformer: true },
    method: 'lora',
  } as const;
  assert.equal(withNetwork(vit, resnet).method, 'head');
});

test('the choices become a configuration that the trainer takes', () => {
  const first = { ...firstChoices(undefined, settings), data: '/flowers', epochs: 3, balanced: true };
  const config = configFrom(first, machine);
  assert.deepEqual(trainingConfigSchema.parse(JSON.parse(JSON.stringify(config))), config);
  assert.deepEqual(
    [config.method, config.epochs, config.batchSize, config.classWeights, config.device, config.topTensors],
    ['head', 3, 16, 'balanced', 'cpu', undefined],
  );
  assert.equal(configFrom({ ...first, method: 'top', topTensors: 6 }, machine).topTensors, 6);
  const ticked = withSettings(first, { classWeights: 'none', frozenPrecision: 'int8', method: 'head' });
  assert.deepEqual(
    (['head', 'full'] as const).map((method) => configFrom({ ...ticked, method }, machine).frozenPrecision),
    ['int8', 'float32'],
    'where layers are frozen',
  );
  assert.equal(configFrom(ticked, machine).classWeights, 'none');
  const backbone = configFrom(
    { ...first, network: { kind: 'backbone', file: '/m.onnx', preprocess: 'caffe-bgr' } },
    machine,
  );
  assert.ok(backbone.network.kind === 'backbone');
  assert.deepEqual(backbone.network.preprocessing?.channels, 'bgr');
});

const offer = (name: string, top1: number, weightsHere: boolean): NetworkOffer => ({
  ...{ name, title: name, family: 'any', isTransformer: false, parameters: 14_149_480 },
  ...{ top1, weightsBytes: 57.4e6, weightsHere },
});
const plainOffer: NetworkOffer = {
  ...{ name: 'ConvNet1', title: 'ConvNet1', family: 'ConvNet', isTransformer: false },
  ...{ parameters: 84_000, weightsHere: false },
};

test('what can be trained now is chosen by Enter alone: what was trained last, and only if nothing has to be fetched', () => {
  const groups = (chosen: TrainingChoices, ...networks: NetworkOffer[]) =>
    networkGroups({
      offers: { networks: [...networks, plainOffer], backbones: [] },
      suggestions: suggestTrainings(networks, undefined, () => undefined),
      chosen: chosen.network,
      secondsPerEpoch: () => undefined,
      measuring: false,
    });
  const first = (chosen: TrainingChoices, ...networks: NetworkOffer[]) => {
    const row = firstRow(groups(chosen, ...networks), chosen);
    return row?.suggestion ? [row.suggestion.aim, row.suggestion.offer.name] : row?.network && networkId(row.network);
  };
  const last = firstChoices(undefined, settings);
  assert.equal(first(last, offer('resnet18', 0.7, true), offer('densenet169', 0.75, true)), 'resnet18');
  const others = [offer('squeezenet1_1', 0.58, true), offer('densenet169', 0.75, true)];
  assert.deepEqual(first(last, offer('resnet18', 0.7, false), ...others), ['withoutDownload', 'densenet169']);
  assert.equal(first(last, offer('resnet18', 0.7, false), offer('densenet169', 0.75, false)), 'densenet169');
  const plain = { ...last, network: { ...resnet, name: 'ConvNet1', pretrained: false } };
  assert.equal(first(plain, ...others), 'ConvNet1');
  const suggested = withSuggestion(last, { aim: 'speed', offer: offer('squeezenet1_1', 0.58, true), recipe: 'quick', views: 1 }, settings); // prettier-ignore
  assert.deepEqual(first(suggested, ...others), ['speed', 'squeezenet1_1']);
  const typed = { ...last, network: { ...resnet, name: 'timm/resnet18.mine' } };
  assert.deepEqual(groups(typed, ...others)[1]?.rows.map(({ label }) => label), ['timm/resnet18.mine']); // prettier-ignore
  const titles = groups(last, offer('resnet50', 0.8, false), ...others).map(({ title }) => title);
  assert.deepEqual(titles.slice(-2), ['From a File or the Hub', 'To Download: any'], 'below no long list');
  const listed = groups(last, ...others).flatMap(({ rows }) => rows.flatMap(({ network }) => network ?? []));
  assert.equal(new Set(listed.map(networkId)).size, listed.length, 'each network once');
});

test('a network tells its size, its accuracy and the time of an epoch here as far as they are known', () => {
  const network = offer('densenet169', 0.756, false);
  assert.equal(describeOffer(network, undefined), '14.1 million parameters · 75.6 % on ImageNet');
  assert.equal(
    describeOffer(network, 200),
    '14.1 million parameters · 75.6 % on ImageNet · about 3 min per epoch here',
  );
  assert.equal(describeOffer(plainOffer, 0.3), '0.1 million parameters · about 1 s per epoch here');
});

test('a licence that forbids something says so', () => {
  assert.equal(licenceText('apache-2.0'), 'apache-2.0');
  assert.equal(licenceText('cc-by-nc-4.0'), 'cc-by-nc-4.0: not for commercial use');
  assert.match(licenceText('dinov3-license'), /the hub may ask for a login/);
});

test('settings that go with pretrained weights are left out without them, and what is left can be trained', () => {
  const network = { kind: 'architecture', name: 'resnet18' } as const;
  const frozen = {
    method: 'top',
    topTensors: 4,
    unfreezeEpochs: 2,
    featureViews: 3,
    frozenPrecision: 'int8',
    batchNorm: 'running',
  } as const;
  const config = trainingConfigSchema.parse({ data: '/d', network, ...frozen, epochs: 7 });
  assert.deepEqual(neededWeights(config), network);
  const without = withoutPretrained(config);
  assert.equal(neededWeights(without), undefined);
  const written = trainingConfigSchema.parse(JSON.parse(JSON.stringify(without)));
  assert.deepEqual(written, trainingConfigSchema.parse({ data: '/d', network, method: 'scratch', epochs: 7 }));
  const named = withoutPretrained({ ...config, network: { ...network, weights: 'IMAGENET1K_V1' } });
  assert.deepEqual(JSON.parse(JSON.stringify(named)), JSON.parse(JSON.stringify(without)));
  assert.equal(contradictionIn(without), undefined);
  assert.equal(neededWeights({ ...config, network: { ...network, weights: '/w.pth' } }), undefined);
});

test('a set of weights by its name is downloaded before a run, and a file of weights is not', () => {
  const configWith = (weights: string, method: 'full' | 'scratch' = 'full') =>
    trainingConfigSchema.parse({ data: '/d', network: { kind: 'architecture', name: 'resnet50', weights }, method });
  const set = { kind: 'architecture', name: 'resnet50', set: 'IMAGENET1K_V2' };
  assert.deepEqual(neededWeights(configWith('IMAGENET1K_V2')), set);
  assert.equal(neededWeights(configWith('IMAGENET1K_V2', 'scratch')), undefined);
  assert.equal(neededWeights(configWith('/weights/IMAGENET1K_V2.pth')), undefined);
});

test('the short name of an ONNX file stays one in a file of settings, and its file is fetched before a run', () => {
  const content = JSON.stringify({ data: 'flowers', network: { kind: 'backbone', file: 'dinov2-small' } });
  const config = parseTrainingConfig(content, '/projects/a.fivecrop.json');
  assert.deepEqual(config.network, { kind: 'backbone', file: 'dinov2-small' });
  assert.match(writeTrainingConfig(config, '/projects/a.fivecrop.json'), /"file": "dinov2-small"/);
  assert.deepEqual(neededWeights(config), { kind: 'backbone', name: 'dinov2-small' });
  assert.equal(neededWeights({ ...config, network: { kind: 'backbone', file: '/m.onnx' } }), undefined);
});

test('a network of the hub is looked for as its commit was fixed, where it was', () => {
  const name = 'timm/resnet18.mine_in1k';
  const hub = { sha256: '0'.repeat(64), bytes: 7 };
  const configWith = (network: object) =>
    trainingConfigSchema.parse({ data: '/d', network: { kind: 'architecture', name, ...network } });
  assert.deepEqual(neededWeights(configWith({})), { kind: 'architecture', name });
  assert.deepEqual(neededWeights(configWith({ hub })), { kind: 'architecture', name, hub });
});

test('a file of settings names what lies beside it relatively, and means the same wherever it is read from', () => {
  const config = trainingConfigSchema.parse({
    data: '/projects/flowers',
    network: { kind: 'backbone', file: '/elsewhere/m.onnx' },
    classNames: '/projects/names/cat.json',
    hidden: [],
  });
  const content = writeTrainingConfig(config, '/projects/a.fivecrop.json');
  assert.match(content, /"data": "flowers"/);
  assert.match(content, /"file": "\/elsewhere\/m\.onnx"/);
  assert.deepEqual(parseTrainingConfig(content, '/projects/a.fivecrop.json'), config);
  assert.equal(parseTrainingConfig(content, '/copy/a.fivecrop.json').data, '/copy/flowers');
});

test('a wrong file of settings is refused with its name and the place of the mistake', () => {
  const file = '/projects/a.fivecrop.json';
  const refused = (content: string, reason: RegExp) =>
    assert.throws(
      () => parseTrainingConfig(content, file),
      (error) => error instanceof UserError && reason.test(error.message) && error.message.includes(file),
    );
  refused('{', /not valid JSON/);
  refused('{"data":"x","network":{"kind":"architecture","name":"resnet18"},"epochs":0}', /at epochs/);
  refused('{"data":"x","network":{"kind":"architecture","name":"resnet18"},"epoch":1}', /epoch/);
});

test('a queue survives being kept; an entry of another version is left out', () => {
  const config = trainingConfigSchema.parse({ data: '/d', network: { kind: 'architecture', name: 'resnet18' } });
  const queue = enqueue(enqueue([], { config, out: '/runs' }), { config, out: '/runs', resume: '/c.safetensors' });
  assert.deepEqual(
    queue.map(({ id }) => id),
    [1, 2],
  );
  assert.deepEqual(parseQueue(JSON.parse(JSON.stringify(queue))), queue);
  assert.deepEqual(parseQueue([{ id: 1, request: { out: 3 } }, queue[1]]), queue.slice(1));
  assert.deepEqual(parseQueue('nonsense'), []);
});

/** Questions that answer by a script, and what was asked, with the number of each. */
function scripted(...script: (string | typeof back)[]) {
  const asked: string[] = [];
  const question = (name: string, applies: (state: string) => boolean = () => true): Step<string> => ({
    applies,
    ask: (state, { step, totalSteps }) => {
      asked.push(`${name}(${state}) ${step}/${totalSteps}`);
      const answer = script.shift();
      assert.ok(answer !== undefined);
      return Promise.resolve(answer === back ? back : `${state}${answer}`);
    },
  });
  return { asked, question };
}
const never = () => false;

test('Back asks the question before again with what was known then, over those with nothing to ask', async () => {
  const { asked, question } = scripted('a1', back, 'a2', 'c2');
  assert.equal(await runSteps('title', '', [question('a'), question('b', never), question('c')]), 'a2c2');
  assert.deepEqual(asked, ['a() 1/3', 'c(a1) 2/3', 'a() 1/3', 'c(a2) 2/3']);
});

test('Back from where the questions were taken up leads to those before, over those with nothing to ask', async () => {
  const { asked, question } = scripted(back, 'a', 'c');
  assert.equal(await runSteps('title', '', [question('a'), question('b', never), question('c')], 2), 'ac');
  assert.deepEqual(asked, ['c() 2/3', 'a() 1/3', 'c(a) 2/3']);
});

test('questions are numbered as they are asked: an answer that makes others needless takes them out of the count', async () => {
  const { asked, question } = scripted('a', 'b');
  const steps = [question('a'), question('b'), question('c', (state) => state === '')];
  const end = await runSteps('title', '', steps);
  assert.deepEqual(asked, ['a() 1/4', 'b(a) 2/3']);
  assert.deepEqual(placeAfter('title', steps, end), { title: 'title', step: 3, totalSteps: 3 });
});
