import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holmAdjusted, mcnemarP } from '../../../src/protocol/mcnemar.ts';

/** `statsmodels.stats.contingency_tables.mcnemar([[0, b], [c, 0]], exact=True).pvalue` (scipy 1.17). */
const references: [number, number, number][] = [
  [3, 9, 0.14599609375],
  [1, 0, 1],
  [10, 10, 1],
  [0, 12, 0.00048828125],
  [41, 66, 0.019900380254468726],
  [400, 512, 0.00023341572231213312],
  [5000, 5200, 0.04878796312682234],
  [30000, 30500, 0.042485574410371825],
];

for (const [b, c, p] of references) {
  test(`the exact p of ${b} against ${c} is statsmodels’`, () => {
    assert.ok(Math.abs(mcnemarP(b, c) - p) <= 1e-8 * p, String(mcnemarP(b, c)));
    assert.equal(mcnemarP(c, b), mcnemarP(b, c));
  });
}

test('without an image that only one gets right nothing speaks against their being alike', () => {
  assert.equal(mcnemarP(0, 0), 1);
});

test('p values of several pairs are adjusted by Holm’s method, as statsmodels does', () => {
  const adjusted = holmAdjusted([0.01, 0.04, 0.03, 0.005]);
  const expected = [0.03, 0.06, 0.06, 0.02];
  adjusted.forEach((value, place) => assert.ok(Math.abs(value - (expected[place] ?? 0)) < 1e-12));
});
