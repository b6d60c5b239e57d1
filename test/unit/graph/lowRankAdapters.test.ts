import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { tensorflowEngine } from '../../../src/ml/engine/tensorflow/tensorflowEngine.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import type { Graph } from '../../../src/ml/graph/graph.ts';
import { float32Tensor, type StateDict, type Tensor } from '../../../src/ml/graph/tensor.ts';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { logSoftmax } from '../../../src/ml/operators/loss/logSoftmax.ts';
import { multiheadSelfAttention } from '../../../src/ml/operators/matmul/attention.ts';
import { linear } from '../../../src/ml/operators/matmul/linear.ts';
import { flatten } from '../../../src/ml/operators/movement/reshape.ts';
import { isAdapter, mergeAdapters, withAdapters } from '../../../src/ml/passes/lowRankAdapters.ts';
import { runNetwork } from '../../../src/ml/training/run/runNetwork.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { assertClose } from '../engine/graphValues.ts';

interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type Named = Readonly<Record<string, Numbers>>;

const torch = JSON.parse(readFileSync(new URL('../../fixtures/torch_lora.json', import.meta.url), 'utf8')) as {
  readonly rank: number;
  readonly alpha: number;
  readonly rate: number;
  readonly before: Named;
  readonly gradients: Named;
  readonly after: Named;
  readonly merged: Named;
  readonly x: Numbers;
  readonly targets: Numbers;
  readonly scores: Numbers;
  readonly scores_after: Numbers;
  readonly loss: number;
};

const tensorOf = ({ shape, data }: Numbers) => float32Tensor(shape, Float32Array.from(data));
const stateOf = (named: Named): StateDict =>
  new Map(Object.entries(named).map(([name, numbers]) => [name, tensorOf(numbers)]));
const numbersOf = (tensor: Tensor | undefined) => Array.from(tensor?.data ?? [], Number);

/** The fixture's network without adapters: attention and a Linear over four tokens, and a head. */
function network(): Graph {
  const builder = createGraphBuilder();
  const x = input(builder, 'x', torch.x.shape, 'float32', 'plain');
  const tokens = linear(builder, 'mlp', multiheadSelfAttention(builder, 'attention', x, 2), 5);
  return finishGraph(builder, [logSoftmax(builder, linear(builder, 'head.output', flatten(builder, tokens), 3))]);
}

/** The same with adapters. */
function adapted(): Graph {
  const graph = withAdapters(network(), 'head', options);
  assert.ok(graph);
  return graph;
}

const options = { rank: torch.rank, alpha: torch.alpha };
const trained = new Set(Object.keys(torch.gradients));

for (const engine of [onnxEngine, tensorflowEngine]) {
  test(`a step with adapters has torch's loss, gradients and new adapters in ${engine.name}, and the weights stay`, async () => {
    const graph = adapted();
    const adapters = graph.parameters.filter(isAdapter);
    assert.deepEqual(new Set(adapters), new Set([...trained].filter((name) => !name.startsWith('head.'))));
    const state = stateOf(torch.before);
    const model = await engine.compileTraining(
      () => graph,
      { state, optimizer: new Map(), step: 0 },
      { trainable: trained, optimizer: { kind: 'sgd', momentum: 0, weightDecay: 0 }, device: 'cpu' },
    );
    const feeds = new Map([
      ['x', tensorOf(torch.x)],
      ['targets', tensorOf(torch.targets)],
    ]);
    const gradients = await model.gradients(feeds);
    for (const [name, { data }] of Object.entries(torch.gradients)) {
      assertClose(numbersOf(gradients.get(name)), data, 1e-4, `gradient of ${name}`);
    }
    const { loss, logProbabilities } = await model.step([feeds], torch.rate);
    const after = await model.snapshot();
    await model.dispose();
    assertClose([loss], [torch.loss], 1e-5, 'loss');
    assertClose(numbersOf(logProbabilities), torch.scores.data, 1e-5, 'scores');
    for (const [name, { data }] of Object.entries(torch.after)) {
      assertClose(numbersOf(after.state.get(name)), data, 1e-4, name);
    }
    const { merged, parts } = await mergeAdapters(after.state, options);
    for (const [name, { data }] of Object.entries(torch.merged)) {
      assertClose(numbersOf(merged.get(name)), data, 1e-4, name);
      assert.deepEqual(parts.get(name), state.get(name), `${name} is frozen`);
    }
    const plain = await engine.compileInference(network, merged, 'cpu');
    const [scores] = (await plain.run(new Map([['x', tensorOf(torch.x)]]))).values();
    await plain.dispose();
    assertClose(numbersOf(scores), torch.scores_after.data, 1e-4, 'scores of the merged weights');
  });
}

test('a merged state has the names of the network, in their order, and its parts give the state again', async () => {
  const plain = network();
  const { parameters } = adapted();
  const all = stateOf(torch.before);
  const state = new Map(parameters.map((name) => [name, all.get(name) ?? float32Tensor([0])]));
  const { merged, parts } = await mergeAdapters(state, options);
  assert.deepEqual([...merged.keys()], plain.parameters);
  assert.deepEqual(new Map(parameters.map((name) => [name, parts.get(name) ?? merged.get(name)])), state);
});

const settings = { data: 'data', method: 'lora', hidden: [] } as const;

test('lora trains the head and the adapters of every Linear of a transformer, and nothing else', () => {
  const config = trainingConfigSchema.parse({ ...settings, network: { kind: 'architecture', name: 'vit_b_16' } });
  const { trainable, stored, whole, validation } = runNetwork(config, namedNetwork('vit_b_16'), 3);
  const module = 'encoder.layers.encoder_layer_0';
  const ofFirst = [...trainable].filter((name) => name.startsWith(`${module}.`));
  const linears = ['self_attention', 'self_attention.out_proj', 'mlp.0', 'mlp.3'];
  assert.deepEqual(
    ofFirst,
    linears.flatMap((name) => ['A', 'B'].map((factor) => `${module}.${name}.lora_${factor}.weight`)),
  );
  const ofHead = [...trainable].filter((name) => !isAdapter(name));
  assert.deepEqual(ofHead, ['heads.output.weight', 'heads.output.bias']);
  assert.equal(trainable.size, 12 * 8 + 2);
  const withoutThem = whole(1).parameters.filter((name) => !isAdapter(name));
  assert.deepEqual(withoutThem, stored(1).parameters);
  assert.deepEqual(validation(1).parameters, whole(1).parameters);
});

test('lora is refused in a sentence for a network that has no Linear ahead of its head', () => {
  const config = trainingConfigSchema.parse({ ...settings, network: { kind: 'architecture', name: 'resnet18' } });
  assert.throws(() => runNetwork(config, namedNetwork('resnet18'), 3), {
    message: /^The method `lora` puts adapters beside the Linears of a transformer, and resnet18 has none: use `/u,
  });
});
