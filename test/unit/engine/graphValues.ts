import assert from 'node:assert/strict';
import { typeOf, type Graph } from '../../../src/ml/graph/graph.ts';
import type { Random } from '../../../src/ml/graph/random.ts';
import { elementCount, float32Tensor, type Tensor } from '../../../src/ml/graph/tensor.ts';
import type { Doubles } from './doubleForward.ts';

/**
 * Random tensors for a graph's inputs, parameters and buffers: weights by their fan-in, so that logits stay moderate,
 * running variances positive, images bytes where the graph says so.
 */
export function randomValues(graph: Graph, random: Random): Map<string, Tensor> {
  const names = [...graph.inputs, ...graph.parameters, ...graph.buffers];
  return new Map(names.map((name) => [name, randomTensor(graph, name, random)]));
}

function randomTensor(graph: Graph, name: string, random: Random): Tensor {
  const { dtype, shape } = typeOf(graph, name);
  const length = elementCount(shape);
  if (dtype === 'uint8') return { dtype, shape, data: Uint8Array.from({ length }, () => random.integer(256)) };
  const spread = graph.parameters.includes(name) ? 1 / Math.sqrt(elementCount(shape.slice(1))) : 1;
  const value = () => (name.endsWith('running_var') ? 0.5 + random.next() : spread * random.normal());
  return float32Tensor(shape, Float32Array.from({ length }, value));
}

/** The same values as the float64 reference takes them. */
export function doubles(values: ReadonlyMap<string, Tensor>): Doubles {
  return new Map([...values].map(([name, { data }]) => [name, Float64Array.from(data, Number)]));
}

/** Fails where a value is further off than `tolerance`, in units of the largest expected value. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, what);
  const scale = Math.max(1e-3, ...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN));
    assert.ok(off <= tolerance * scale, `${what}[${i}] is ${actual[i]}, not ${expected[i]}`);
  }
}

/** The given share of the loss of every row's first class. */
export function firstClass(rows: number, classes: number, share: number): Tensor {
  return float32Tensor(
    [rows, classes],
    Float32Array.from({ length: rows * classes }, (_, at) => (at % classes === 0 ? share : 0)),
  );
}
