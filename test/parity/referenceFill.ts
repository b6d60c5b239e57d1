import type { StateShapes } from '../../src/ml/networks/stateShapes.ts';
import { elementCount, float32Tensor } from '../../src/ml/graph/tensor.ts';
import type { StateDict, Tensor } from '../../src/ml/graph/tensor.ts';

/*
 * The numbers that both sides of a comparison with torch fill their tensors with, so that no weights need to be stored:
 * a hash of the tensor's name and of the element's index. ../shared/fixtures/README.md defines it.
 */

/** 32-bit FNV-1a of a name's bytes. */
function nameHash(name: string): number {
  return Buffer.from(name).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
}

/** Element `index` of the tensor whose name hashes to `base`: uniform in [-0.5, 0.5), float64. */
function uniform(base: number, index: number): number {
  let h = (base + Math.imul(index, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000 - 0.5;
}

function filled(name: string, shape: readonly number[], value: (u: number) => number): Tensor & { dtype: 'float32' } {
  const base = nameHash(name);
  // Networks have a hundred million of them, for which `Float32Array.from` would take ten times as long.
  const data = new Float32Array(elementCount(shape));
  for (let index = 0; index < data.length; index++) data[index] = value(uniform(base, index));
  return float32Tensor(shape, data);
}

/** The reference's tensor for a name and shape of a state dict. */
export function referenceTensor(name: string, shape: readonly number[]): Tensor {
  if (name.endsWith('num_batches_tracked')) return { dtype: 'int64', shape, data: new BigInt64Array(1) };
  if (shape.length >= 2) {
    const share = Math.sqrt(1 / elementCount(shape.slice(1)));
    // In this order: some products lie halfway between two float32 numbers.
    return filled(name, shape, (u) => u * Math.sqrt(12) * share);
  }
  if (name.endsWith('running_var')) return filled(name, shape, (u) => 1 + 0.5 * u);
  // Layer scales are called gamma in timm.
  if (/(weight|gamma(_\d)?)$/u.test(name)) return filled(name, shape, (u) => 1 + 0.2 * u);
  return filled(name, shape, (u) => 0.1 * u);
}

/** The reference's state dict of these names and shapes. */
export function referenceState(shapes: StateShapes): StateDict {
  return new Map([...shapes].map(([name, shape]) => [name, referenceTensor(name, shape)]));
}

/** The hash itself, uniform in [-0.5, 0.5). */
export function referenceUniform(name: string, shape: readonly number[]): Tensor {
  return filled(name, shape, (u) => u);
}

/** The reference's input batch. */
export function referenceInput(shape: readonly number[]): Tensor & { dtype: 'float32' } {
  return filled('input', shape, (u) => 4 * u);
}

/** Images uint8 `[count, 3, size, size]`: the hash of each pixel's place, as a byte. */
export function referencePixels(count: number, size: number): Tensor & { dtype: 'uint8' } {
  const base = nameHash('pixels');
  const shape = [count, 3, size, size];
  const data = Uint8Array.from({ length: elementCount(shape) }, (_, index) =>
    Math.floor((uniform(base, index) + 0.5) * 256),
  );
  return { dtype: 'uint8', shape, data };
}
