import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';
import { applyWeights } from '../../../src/ml/weights/applyWeights.ts';
import { resamplePositions } from '../../../src/ml/weights/resamplePositions.ts';
import { referenceUniform } from '../../parity/referenceFill.ts';

const file = join(import.meta.dirname, '../../fixtures/timm_positions.json');
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly cases: readonly (Record<'old' | 'new' | 'before' | 'width', number> & { readonly values: number[] })[];
};

function positions(side: number, before: number, width: number) {
  return referenceUniform('positions', [1, before + side * side, width]);
}

for (const { old, new: wanted, before, width, values } of cases) {
  test(`${before} vectors and a grid of ${old} become a grid of ${wanted} as timm resamples them`, () => {
    const shape = [1, before + wanted * wanted, width];
    const { data } = resamplePositions(positions(old, before, width), shape, { tensor: 'p', before });
    assert.equal(data.length, values.length);
    for (const [index, expected] of values.entries()) {
      assert.ok(Math.abs(Number(data[index]) - expected) < 1e-6, `${index}: ${String(data[index])}, not ${expected}`);
    }
  });
}

test('positions of another grid fit, and all else has to be of the network’s shape', () => {
  const learned = { tensor: 'p', before: 1 };
  const shapes = new Map([
    ['p', [1, 5, 3]],
    ['q', [1, 5, 3]],
  ]);
  const q = float32Tensor([1, 5, 3]);
  const fitting = applyWeights(shapes, new Map([['p', positions(3, 1, 3)], ['q', q]]), { positions: learned }); // prettier-ignore
  assert.deepEqual(fitting.get('p')?.shape, [1, 5, 3]);
  for (const [name, tensor] of [
    ['q', positions(3, 1, 3)],
    ['p', positions(3, 0, 3)],
    ['p', positions(3, 1, 4)],
  ] as const) {
    const state = new Map([['p', float32Tensor([1, 5, 3])], ['q', q], [name, tensor]]); // prettier-ignore
    assert.throws(() => applyWeights(shapes, state, { positions: learned }), /in another form/u);
  }
});
