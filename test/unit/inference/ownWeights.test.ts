import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { onnxEngine } from '../../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { float32Tensor, type StateDict } from '../../../src/ml/graph/tensor.ts';
import { loadClassifier } from '../../../src/ml/inference/loadClassifier.ts';
import { initialise, torchDefaults } from '../../../src/ml/networks/initialise.ts';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { writeSafetensors } from '../../../src/ml/weights/safetensors.ts';
import { temporaryFolder } from '../data/temporaryImages.ts';
import { randomImages } from './checkpointFixture.ts';

const onCpu = { engine: onnxEngine, device: 'cpu' };
const name = 'ConvNet1';
const pixels = { crop: 32, resize: 36 };

/** Random weights of the network with its classifier for 1000 classes. */
function weights(): Map<string, StateDict extends ReadonlyMap<string, infer Value> ? Value : never> {
  const graph = namedNetwork(name).graph('original', { batchSize: 1, size: 32 });
  return new Map(initialise(stateShapes(graph), torchDefaults, 1));
}

/** The same with the first classes alone. */
function ofClasses(count: number) {
  const state = weights();
  for (const part of ['fc.weight', 'fc.bias']) {
    const tensor = state.get(part);
    assert.ok(tensor?.dtype === 'float32');
    const shape = [count, ...tensor.shape.slice(1)];
    state.set(
      part,
      float32Tensor(
        shape,
        tensor.data.slice(
          0,
          shape.reduce((product, size) => product * size, 1),
        ),
      ),
    );
  }
  return state;
}

/** Probabilities that a file's classifier gives for two images, its labels, and what was said. */
async function classified(file: string, labels?: string) {
  const said: string[] = [];
  const source = { kind: 'architecture', name, weights: file, labels, preprocessing: pixels } as const;
  const classifier = await loadClassifier(source, onCpu, { log: (sentence) => said.push(sentence) });
  try {
    const { data, shape } = await classifier.probabilities(randomImages(2, 1));
    return { data: [...data], shape, labels: classifier.labels, said };
  } finally {
    await classifier.dispose();
  }
}

test('weights for other classes than the network’s own classify into those', async (t) => {
  const folder = await temporaryFolder(t);
  const [whole, five, labels] = [join(folder, 'whole.safetensors'), join(folder, 'five.safetensors'), join(folder, 'labels.txt')]; // prettier-ignore
  await writeSafetensors(whole, weights(), {});
  await writeSafetensors(five, new Map([...ofClasses(5)].map(([key, value]) => [`module.${key}`, value])), {});
  await writeFile(labels, 'rose\ndaisy\ntulip\niris\nlily\n');
  const all = await classified(whole);
  const own = await classified(five, labels);
  assert.deepEqual([all.shape, own.shape], [[2, 1000], [2, 5]]); // prettier-ignore
  assert.deepEqual(own.labels.map((label) => label.name), ['rose', 'daisy', 'tulip', 'iris', 'lily']); // prettier-ignore
  // A softmax over five of a thousand logits is that over all, scaled to a sum of one.
  for (const row of [0, 1]) {
    const first = all.data.slice(1000 * row, 1000 * row + 5);
    const sum = first.reduce((total, value) => total + value, 0);
    first.forEach((value, at) => {
      const ours = own.data[5 * row + at] ?? NaN;
      assert.ok(Math.abs(ours - value / sum) < 1e-5, `${ours} and ${value / sum}`);
    });
  }
});

test('classes without names are numbers, and that is said', async (t) => {
  const five = join(await temporaryFolder(t), 'five.safetensors');
  await writeSafetensors(five, ofClasses(5), {});
  const { labels, said } = await classified(five);
  assert.deepEqual(labels.map((label) => label.name), ['class 0', 'class 1', 'class 2', 'class 3', 'class 4']); // prettier-ignore
  assert.match(said.join('\n'), /five\.safetensors has 5 classes and does not name them; --labels FILE does/);
});

test('weights that do not fit are refused with the tensor and its shape, and labels with their number', async (t) => {
  const folder = await temporaryFolder(t);
  const [file, labels] = [join(folder, 'x.safetensors'), join(folder, 'labels.json')];
  await writeFile(labels, '["a","b"]');
  const state = ofClasses(5);
  await writeSafetensors(file, state, {});
  await assert.rejects(classified(file, labels), /labels\.json names 2 classes, and x\.safetensors has 5/);
  state.set('conv1.weight', float32Tensor([64, 3, 3, 3]));
  await writeSafetensors(file, state, {});
  await assert.rejects(classified(file), /x\.safetensors cannot be used for ConvNet1: .*conv1\.weight \(\[64, 3, 3, 3\] instead of \[64, 3, 7, 7\]\)/); // prettier-ignore
});
