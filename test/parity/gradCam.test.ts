import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { gradCam } from '../../src/ml/inference/gradCam.ts';
import { namedNetwork } from '../../src/ml/networks/registry.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { presetConstants } from '../../src/protocol/preprocessing.ts';
import reference from '../fixtures/torch_gradcam.json' with { type: 'json' };
import { referencePixels, referenceState } from './referenceFill.ts';

const { cases, size } = reference;
const all = process.env['FIVECROP_ALL_NETWORKS'] !== undefined;
/** Filling a large network takes longer than its maps. */
const why = 'FIVECROP_ALL_NETWORKS=1 compares it too';
const pixels = { resize: size, crop: size, ...presetConstants('imagenet') };

for (const { network: name, hidden, outputs, classes, maps } of cases) {
  const skip = name === 'alexnet' && !all && why;
  test(
    `where ${name}${hidden ? ' with a head' : ''} saw two classes is where torch’s gradients say`,
    { skip },
    async () => {
      const network = namedNetwork(name);
      const head = hidden ? { hidden, dropout: 0, classes: outputs } : ('original' as const);
      const graphFor = (batchSize: number) => network.graph(head, { batchSize, size, pixels });
      const state = referenceState(stateShapes(graphFor(1)));
      const found = await gradCam({ graphFor, state }, referencePixels(2, size), classes, {
        engine: onnxEngine,
        device: 'cpu',
      });
      found.forEach((map, image) => {
        const [ours, theirs] = [map.flat(), maps[image]?.flat() ?? []];
        assert.equal(ours.length, theirs.length);
        ours.forEach((value, at) =>
          assert.ok(Math.abs(value - (theirs[at] ?? 0)) < 1e-4, `${image} ${at}: ${value} and ${theirs[at] ?? 0}`),
        );
      });
    },
  );
}
