import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meantTrial } from '../../../src/ml/cli/meantTrial.ts';

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
