import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { attentionMap, hasAttention } from '../../src/ml/inference/attentionMap.ts';
import { gradCam, hasFeatureMap } from '../../src/ml/inference/gradCam.ts';
import { namedNetwork } from '../../src/ml/networks/registry.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { presetConstants } from '../../src/protocol/preprocessing.ts';
import reference from '../fixtures/torch_attention.json' with { type: 'json' };
import { referencePixels, referenceState } from './referenceFill.ts';

const all = process.env['FIVECROP_ALL_NETWORKS'] !== undefined;
/** Filling a large network takes longer than its maps. */
const why = 'FIVECROP_ALL_NETWORKS=1 compares it too';

for (const { network: name, outputs, size, classes, method, maps } of reference.cases) {
  const skip = name === 'vit_b_32' && !all && why;
  test(`where ${name} saw two classes is where torch’s gradients of its ${method} say`, { skip }, async () => {
    const network = namedNetwork(name);
    const pixels = { resize: size, crop: size, ...presetConstants('imagenet') };
    const head = outputs === 1000 ? ('original' as const) : { hidden: [], dropout: 0, classes: outputs };
    const graphFor = (batchSize: number) => network.graph(head, { batchSize, size, pixels });
    const state = referenceState(stateShapes(graphFor(1)));
    const isAttention = method === 'attention';
    assert.deepEqual([hasFeatureMap(graphFor(1)), hasAttention(graphFor(1))], [!isAttention, isAttention]);
    const mapsOf = isAttention ? attentionMap : gradCam;
    const placement = { engine: onnxEngine, device: 'cpu' };
    const found = await mapsOf({ graphFor, state }, referencePixels(2, size), classes, placement);
    found.forEach((map, image) => {
      const [ours, theirs] = [map.flat(), maps[image]?.flat() ?? []];
      assert.equal(ours.length, theirs.length);
      ours.forEach((value, at) =>
        assert.ok(Math.abs(value - (theirs[at] ?? 0)) < 1e-4, `${image} ${at}: ${value} and ${theirs[at] ?? 0}`),
      );
    });
  });
}
