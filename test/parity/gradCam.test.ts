import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { gradCam } from '../../src/ml/inference/gradCam.ts';
import { namedNetwork } from '../../src/ml/networks/registry.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { presetConstants } from '../../src/protocol/preprocessing.ts';
import reference from '../fixtures/torch_gradcam.json' with { type: 'json' };
import { referenceState, referenceTensor } from './referenceFill.ts';

const { size, cases } = reference;
const pixels = { resize: size, crop: size, ...presetConstants('imagenet') };

/** The reference's two images: the hash of each pixel's place, as a byte. */
function images() {
  const shape = [2, 3, size, size];
  const filled = referenceTensor('pixels', shape);
  const values = filled.dtype === 'float32' ? filled.data : new Float32Array();
  const scale = Math.sqrt(12) * Math.sqrt(1 / (3 * size * size));
  return {
    dtype: 'uint8' as const,
    shape,
    data: Uint8Array.from(values, (value) => Math.floor((value / scale + 0.5) * 256)),
  };
}

for (const { network: name, hidden, outputs, classes, maps } of cases) {
  test(`where ${name}${hidden ? ' with a head' : ''} saw two classes is where torch’s gradients say`, async () => {
    const network = namedNetwork(name);
    const head = hidden ? { hidden, dropout: 0, classes: outputs } : ('original' as const);
    const graphFor = (batchSize: number) => network.graph(head, { batchSize, size, pixels });
    const state = referenceState(stateShapes(graphFor(1)));
    const found = await gradCam({ graphFor, state }, images(), classes, { engine: onnxEngine, device: 'cpu' });
    found.forEach((map, image) => {
      const [ours, theirs] = [map.flat(), maps[image]?.flat() ?? []];
      assert.equal(ours.length, theirs.length);
      ours.forEach((value, at) =>
        assert.ok(Math.abs(value - (theirs[at] ?? 0)) < 1e-4, `${image} ${at}: ${value} and ${theirs[at] ?? 0}`),
      );
    });
  });
}
