import { constantFloats } from '../constantFloats.ts';
import type { ModelIndex } from '../modelIndex.ts';
import { onnxDataTypes } from '../onnxModel.ts';

/** Operators that move pixels and leave their values as they are. */
const moves = new Set(['Transpose', 'Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);
/** Steps of a walk from the input: far more than stand before the first convolution. */
const mostSteps = 20;
/** A model that makes its pixels this much smaller takes those of 0 to 255. */
const mostFactor = 1 / 50;

/**
 * Whether a model brings pixels of 0 to 255 to a smaller range itself, before its first layer: the only things done to
 * `input` until then are additions and multiplications by constants, and they make it at least fifty times smaller, as
 * Keras' Rescaling and Normalization do.
 */
export function rescalesPixels({ graph, constants }: ModelIndex, input: string): boolean {
  let value = input;
  let factor = 1;
  for (let step = 0; step < mostSteps; step++) {
    const readers = graph.node.filter((node) => node.input.includes(value));
    const [node] = readers;
    if (!node || readers.length > 1) break;
    const { opType } = node;
    if (!moves.has(opType)) {
      if (!['Add', 'Sub', 'Mul', 'Div'].includes(opType)) break;
      const tensor = constants.get(node.input.find((name) => name !== value) ?? '');
      if (tensor?.dataType !== onnxDataTypes.float32) break;
      const largest = constantFloats(tensor).reduce((most, each) => Math.max(most, Math.abs(each)), 0);
      const smallest = constantFloats(tensor).reduce((least, each) => Math.min(least, Math.abs(each)), Infinity);
      if (opType === 'Mul') factor *= largest;
      if (opType === 'Div' && node.input[0] === value) factor /= smallest;
    }
    value = node.output[0] ?? '';
  }
  return factor > 0 && factor <= mostFactor;
}
