import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Graph } from '../../../src/ml/graph/graph.ts';
import type { Network } from '../../../src/ml/networks/network.ts';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { maskInputs } from '../../../src/ml/training/loop/dropoutMasks.ts';
import { hasNetworkDropout, lacksNetworkDropout } from '../../../src/ml/training/run/networkDropout.ts';
import { refuseNeedless } from '../../../src/ml/training/run/refuseNeedless.ts';
import { runNetwork } from '../../../src/ml/training/run/runNetwork.ts';
import { onnxFileNetwork } from '../../../src/ml/networks/onnxFile.ts';
import { tinyConfig } from '../training/tinyDataset.ts';

/** Written by `test/fixtures/network_dropout.py` from torchvision's modules. */
type Dropouts = Readonly<
  Record<string, readonly { readonly module: string; readonly rate: number; readonly next: string }[]>
>;
const torchvision = JSON.parse(
  readFileSync(new URL('../../fixtures/network_dropout.json', import.meta.url), 'utf8'),
) as Dropouts;

const graphOf = (name: string, dropout: number | 'own') => {
  const head = { hidden: [], dropout: 0, classes: 5 };
  return namedNetwork(name).graph(head, { batchSize: 1, size: 224, dropout });
};
const masksOf = (graph: Graph) => maskInputs(graph).map(({ name }) => name.replace(/\.mask$/u, ''));

/** Each dropout with the weight of the layer that takes what it lets through. */
function dropoutsOf(graph: Graph): (readonly [name: string, weight: string | undefined])[] {
  return maskInputs(graph).map(({ name }) => {
    const dropout = graph.nodes.find(({ inputs }) => inputs[1] === name);
    const next = graph.nodes.find(({ inputs }) => inputs[0] === dropout?.outputs[0]);
    return [name, next?.inputs[1]];
  });
}

test('networks drop where torchvision’s modules do, at their rates or at the one that is set', () => {
  for (const [name, modules] of Object.entries(torchvision)) {
    // Its dropout lies within what the head replaces: its own classifier is a convolution over the map.
    if (name.startsWith('squeezenet')) continue;
    const { classifier } = namedNetwork(name);
    const wanted = modules.map(({ module, next }) => {
      const isOwn = next === classifier || next.startsWith(`${classifier}.`);
      return [`${module}.mask`, isOwn ? `${classifier}.output.weight` : `${next}.weight`];
    });
    assert.deepEqual(dropoutsOf(graphOf(name, 'own')), wanted, name);
    const rates = (dropout: number | 'own') => maskInputs(graphOf(name, dropout)).map(({ rate }) => rate);
    assert.deepEqual(rates('own'), modules.map(({ rate }) => rate), name); // prettier-ignore
    assert.deepEqual(rates(0.35), modules.map(() => 0.35), name); // prettier-ignore
    assert.deepEqual(rates(0), [], name);
  }
  for (const name of ['resnet18', 'densenet121', 'vit_b_16', 'swin_t', 'convnext_tiny', 'regnet_y_400mf']) {
    assert.deepEqual(masksOf(graphOf(name, 0.35)), [], name);
  }
});

test('ahead of frozen layers nothing drops, and they still run ahead of the training step', () => {
  const vgg = namedNetwork('vgg11');
  const sizes = { imageSize: 64, resize: 64, hidden: [], dropout: 0.3 };
  const masks = (method: 'head' | 'top' | 'full', topTensors?: number) => {
    const built = runNetwork(tinyConfig('data', { ...sizes, method, topTensors }), vgg, 3);
    assert.equal(built.prefix !== undefined, method !== 'full');
    assert.deepEqual(masksOf(built.validation(1)), []);
    return masksOf(built.training(1));
  };
  assert.deepEqual(masks('head'), ['classifier.5']);
  assert.deepEqual(masks('top', 4), ['classifier.2', 'classifier.5']);
  assert.deepEqual(masks('full'), ['classifier.2', 'classifier.5']);
  const headOf = (dropout: number | undefined) => {
    const config = tinyConfig('data', { ...sizes, hidden: [8], dropout, method: 'head' });
    return maskInputs(runNetwork(config, namedNetwork('mobilenet_v2'), 3).training(1)).map(({ rate }) => rate);
  };
  assert.deepEqual([headOf(undefined), headOf(0.4), headOf(0)], [[0.2, 0.5], [0.4, 0.4], []]);
});

test('dropout and the statistics of batch norm are refused for a network in which they do nothing', () => {
  const refused = (settings: Parameters<typeof tinyConfig>[1], network: Network = namedNetwork('resnet18')) => {
    const config = tinyConfig('data', { imageSize: 64, resize: 64, method: 'head', ...settings });
    refuseNeedless(config, runNetwork(config, network, 3));
  };
  const reference = {
    kind: 'backbone',
    file: 'x.onnx',
    sha256: '0'.repeat(64),
    featuresOutput: 'f',
    features: 4,
  } as const;
  const file = onnxFileNetwork(reference);
  assert.throws(() => refused({ hidden: [], dropout: 0.3 }), /^\w+Error: dropout \(--dropout\) .* --hidden 1024\.$/);
  assert.throws(
    () => refused({ hidden: [], dropout: 0.3, imageSize: 224, resize: 255 }, file),
    /dropout \(--dropout\)/,
  );
  assert.throws(
    () => refused({ batchNorm: 'running', imageSize: 224, resize: 255 }, file),
    /batchNorm \(--batch-norm\)/,
  );
  assert.throws(() => refused({ batchNorm: 'batch' }, namedNetwork('vgg11')), /batchNorm \(--batch-norm\)/);
  for (const meant of [
    { hidden: [], dropout: 0 },
    { hidden: [8], dropout: 0.3 },
    { hidden: [] },
    { batchNorm: 'batch' } as const,
  ]) {
    assert.doesNotThrow(() => refused(meant), JSON.stringify(meant));
  }
  assert.doesNotThrow(() => refused({ hidden: [], dropout: 0.3 }, namedNetwork('mobilenet_v2')));
  // A run that began with them goes on.
  const begun = tinyConfig('data', { imageSize: 64, resize: 64, method: 'head', hidden: [], dropout: 0.3 });
  const built = runNetwork(begun, namedNetwork('resnet18'), 3);
  assert.doesNotThrow(() => refuseNeedless(begun, built, begun));
  assert.throws(() => refuseNeedless({ ...begun, dropout: 0.2 }, built, begun), /dropout \(--dropout\)/);
});

test('a run from before networks had dropout goes on with that of its head alone, and says so', () => {
  const sizes = { imageSize: 64, resize: 64, hidden: [8], method: 'full' as const };
  const config = tinyConfig('data', { ...sizes, dropout: 0.5 });
  const [mobile, resnet] = [namedNetwork('mobilenet_v2'), namedNetwork('resnet18')];
  const rates = (networkDropout: boolean) =>
    maskInputs(runNetwork(config, mobile, 3, networkDropout).training(1)).map(({ name }) => name);
  assert.equal(rates(true).length, 2);
  assert.equal(rates(false).length, 1);
  assert.match(lacksNetworkDropout(config, mobile) ?? '', /continues with dropout in the head only/);
  assert.equal(lacksNetworkDropout(config, resnet), undefined);
  assert.equal(lacksNetworkDropout({ ...config, dropout: 0 }, mobile), undefined);
  const resumed = (dropout: number | undefined, networkDropout?: boolean) =>
    hasNetworkDropout({
      checkpoint: { metadata: { training: { networkDropout } } },
      resume: { config: { dropout } },
    });
  // Those runs always recorded a rate, and nothing of the network.
  assert.equal(resumed(0.5), false);
  assert.equal(resumed(undefined), true);
  assert.equal(resumed(0.5, true), true);
  // One that went on so before goes on so again.
  assert.equal(resumed(0.5, false), false);
  assert.equal(resumed(undefined, false), false);
});
