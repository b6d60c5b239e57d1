import type { GraphBuilder } from '../../graph/graph.ts';
import { div, mul } from '../elementwise/arithmetic.ts';
import { clip, sqrt } from '../elementwise/unary.ts';
import { shapeOf } from '../operator.ts';
import { sum } from '../reduce/reduceSum.ts';

/** Lengths below it count as it, as in torch's normalize; where they do, no gradient goes through the length, as in torch's norm. */
const leastLength = 1e-12;

/** Euclidean lengths over the axes, which stay with length 1. */
export function euclideanLength(builder: GraphBuilder, x: string, axes: readonly number[]): string {
  const squares = sum(builder, mul(builder, x, x), axes);
  return sqrt(builder, clip(builder, squares, leastLength ** 2, Infinity));
}

/** torch's normalize: vectors along the last axis divided by their Euclidean length. */
export function toUnitLength(builder: GraphBuilder, x: string): string {
  return div(builder, x, euclideanLength(builder, x, [shapeOf(builder, x).length - 1]));
}
