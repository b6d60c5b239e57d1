import { onnxDataTypes } from '../onnx/onnxModel.ts';
import type { OnnxParts } from './onnxParts.ts';

/** What is made of a network's log-probabilities. */
export interface Telling {
  readonly crops: 1 | 5;
  readonly classes: number;
  /** Fitted to predictions by so many crops; undefined for 1. */
  readonly temperature: number | undefined;
  /** Confidence below which the answer is "none of these"; undefined where none is kept. */
  readonly threshold: number | undefined;
}

/** float32 holds less only with fewer digits. */
const least = 1e-38;

/**
 * Log-probabilities `[crops * N, classes]` become `probabilities` `[N, classes]`: the softmax of each crop, their mean, at
 * the temperature; and, with a threshold, `rejected`, bool `[N]`.
 */
export function tellProbabilities(
  parts: OnnxParts,
  logProbabilities: string,
  { crops, classes, temperature, threshold }: Telling,
  outputs: { readonly probabilities: string; readonly rejected: string },
): void {
  const { emit, int64, float32 } = parts;
  const softmax = (logits: string, output?: string) => emit('Softmax', [logits], { axis: 1 }, output);
  const atTemperature = (logits: string) =>
    temperature === undefined ? logits : emit('Div', [logits, float32([temperature])]);
  if (crops === 1) softmax(atTemperature(logProbabilities), outputs.probabilities);
  else {
    const byCrop = emit('Reshape', [softmax(logProbabilities), int64([crops, -1, classes], [3])]);
    const sum = emit('ReduceSum', [byCrop, int64([0], [1])], { keepdims: 0 });
    const last = temperature === undefined ? outputs.probabilities : undefined;
    const mean = emit('Div', [sum, float32([crops])], {}, last);
    if (temperature !== undefined) {
      softmax(atTemperature(emit('Log', [emit('Max', [mean, float32([least])])])), outputs.probabilities);
    }
  }
  if (threshold === undefined) return;
  const isBelow = emit('Cast', [emit('Less', [outputs.probabilities, float32([threshold])])], {
    to: onnxDataTypes.int32,
  });
  const count = emit('ReduceSum', [isBelow, int64([1], [1])], { keepdims: 0 });
  emit('Equal', [count, parts.int32(classes)], {}, outputs.rejected);
}
