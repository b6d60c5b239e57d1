import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countParameters, namedNetwork, networkGraph, networkNames } from '../../src/ml/networks/registry.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { trainableParameters } from '../../src/ml/networks/trainableParameters.ts';
import type { TrainableChoice } from '../../src/ml/networks/trainableParameters.ts';
import { typeOf } from '../../src/ml/graph/graph.ts';
import { referenceState } from './referenceFill.ts';
import type { Summary, TrainCase } from './torchReference.ts';
import { readTorchReference, skipWithoutReference } from './torchReference.ts';
import { convolutionalNetworks, torchvisionNetworks, transformerNetworks } from './torchvisionFigures.ts';

const skip = skipWithoutReference;
/** The networks that the reference has; torchvisionNetworks.test.ts and its neighbours compare the others. */
const compared = skip ? [] : networkNames.filter((name) => readTorchReference().eval[name]);

test('every network is compared with torch', { skip }, () => {
  const others = [torchvisionNetworks, convolutionalNetworks, transformerNetworks].flatMap((figures) =>
    Object.keys(figures),
  );
  assert.deepEqual([...new Set([...compared, ...others])].sort(), [...networkNames].sort());
});

test('every network has as many parameters and parameter tensors as torch counts', { skip }, () => {
  const reference = readTorchReference().eval;
  for (const name of compared) {
    const { tensors, parameters } = countParameters(name);
    const expected = reference[name];
    assert.deepEqual([name, parameters, tensors], [name, expected?.parameters, expected?.parameter_tensors]);
  }
});

test('every network puts out logits of the shape that torch gives', { skip }, () => {
  const reference = readTorchReference().eval;
  for (const name of compared) {
    const graph = networkGraph(name, 'original');
    const classes = graph.outputs.map((output) => typeOf(graph, output).shape[1]);
    assert.deepEqual([name, classes], [name, [reference[name]?.logits_shape[1]]]);
  }
});

test('state dicts list the names and shapes of torchvision’s in its order', { skip }, () => {
  const listed = Object.entries(readTorchReference().eval).filter(
    ([name, { state_dict }]) => state_dict && networkNames.includes(name),
  );
  assert.deepEqual(listed.map(([name]) => name).sort(), ['ConvNet2', 'densenet169', 'resnet18']);
  for (const [name, { state_dict }] of listed) {
    const ours = [...stateShapes(networkGraph(name, 'original'))];
    assert.deepEqual(ours, state_dict);
  }
});

function graphOf({ arch, head_hidden, classes }: TrainCase) {
  return networkGraph(arch, { hidden: head_hidden, dropout: 0, classes });
}

test('each method trains the parameters that torch has gradients for', { skip }, () => {
  for (const reference of readTorchReference().train) {
    const { arch, mode, top_tensors } = reference;
    const graph = graphOf(reference);
    const choice: TrainableChoice =
      mode === 'top'
        ? { method: 'top', topTensors: top_tensors }
        : mode === 'head'
          ? { method: 'head', classifier: namedNetwork(arch).classifier }
          : { method: 'full' };
    const trainable = trainableParameters(graph, choice);
    const gradients = Object.keys(reference.first_step_gradients);
    assert.ok(
      gradients.every((name) => trainable.has(name)),
      `${arch} ${mode}`,
    );
    assert.equal([...trainable][0], gradients[0], `${arch} ${mode}`);
    assert.equal([...trainable].at(-1), gradients.at(-1), `${arch} ${mode}`);
  }
});

function summary(values: Iterable<number>): Summary {
  const all = [...values];
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
  return { n: all.length, mean, std: Math.sqrt(variance), first: all.slice(0, 5) };
}

test('the fill gives torch’s values for every tensor that a frozen network kept', { skip }, () => {
  const cases = readTorchReference().train.filter(
    ({ mode, batch_norm }) => mode === 'head' && batch_norm === 'running statistics',
  );
  assert.equal(cases.length, 2);
  for (const reference of cases) {
    const { classifier } = namedNetwork(reference.arch);
    const state = referenceState(stateShapes(graphOf(reference)));
    const kept = Object.entries(reference.after).filter(([name]) => !name.startsWith(classifier));
    assert.ok(kept.some(([name]) => name.endsWith('running_var')) && kept.some(([name]) => name.includes('conv')));
    for (const [name, expected] of kept) {
      const ours = summary(Array.from(state.get(name)?.data ?? [], Number));
      assert.equal(ours.n, expected.n, name);
      const pairs = [
        [ours.mean, expected.mean],
        [ours.std, expected.std],
        ...ours.first.map((value, index) => [value, expected.first[index]] as const),
      ];
      for (const [value = NaN, wanted = NaN] of pairs) {
        assert.ok(Math.abs(value - wanted) <= 1e-6 * Math.max(1, Math.abs(wanted)), `${name}: ${value}, not ${wanted}`);
      }
    }
  }
});
