import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawMeantTrials, meantTrial } from '../../../src/ml/cli/meantTrial.ts';
import { parseSweepSpace } from '../../../src/protocol/sweep.ts';

test('a trial whose head has no hidden layer has no dropout, unless its network has some of its own', () => {
  const dropoutOf = (network: object, drawn: object) => meantTrial({ network }, { ...drawn })['dropout'];
  const backbone = { kind: 'backbone', file: 'features.onnx' };
  const named = (name: string) => ({ kind: 'architecture', name });
  for (const network of [backbone, named('resnet18'), named('ConvNet1'), named('timm/unknown.tag')]) {
    assert.equal(dropoutOf(network, { hidden: [], dropout: 0.3 }), 0, JSON.stringify(network));
    assert.equal(dropoutOf(network, { hidden: [8], dropout: 0.3 }), 0.3);
  }
  assert.equal(dropoutOf(named('mobilenet_v2'), { hidden: [], dropout: 0.3 }), 0.3);
  // A space that has no hidden layer at all is wrong, and its trials say so.
  assert.equal(meantTrial({ network: backbone, hidden: [] }, { dropout: 0.3 })['dropout'], 0.3);
  assert.equal(meantTrial({ hidden: [] }, { network: named('mobilenet_v2'), dropout: 0.3 })['dropout'], 0.3);
});

test('trials of a grid or of draws that are meant alike are one', () => {
  const network = { kind: 'architecture', name: 'ConvNet1' };
  const choices = { network, hidden: [[], [8]], dropout: [0, 0.3, 0.6] };
  const trialsOf = (more: object) => {
    const space = parseSweepSpace({ ...choices, ...more });
    return drawMeantTrials(space).map(({ hidden, dropout }) => [hidden, dropout]);
  };
  const four = [[[], 0], [[8], 0], [[8], 0.3], [[8], 0.6]]; // prettier-ignore
  assert.deepEqual(trialsOf({ sampler: 'grid' }), four);
  assert.deepEqual(trialsOf({ sampler: 'grid', trials: 3 }), four.slice(0, 3));
  for (const sampler of ['random', 'sobol']) {
    const drawn = trialsOf({ sampler, trials: 50 });
    assert.equal(new Set(drawn.map((trial) => JSON.stringify(trial))).size, 4);
    assert.equal(drawn.length, 4);
  }
});
