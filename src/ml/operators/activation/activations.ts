import type { GraphBuilder } from '../../graph/graph.ts';
import { affine } from '../elementwise/affine.ts';
import { add, mul } from '../elementwise/arithmetic.ts';
import { clip, tanh } from '../elementwise/unary.ts';

/*
 * Activations written with other operators, so that they differentiate by themselves. Each takes a value of any shape and
 * gives one of the same.
 */

/** torch's ReLU6: x cut off below 0 and above 6 (MobileNetV2). */
export function relu6(builder: GraphBuilder, x: string): string {
  return clip(builder, x, 0, 6);
}

/** torch's Hardsigmoid: x / 6 + 1/2, cut off below 0 and above 1 (MobileNetV3; Howard et al. 2019). */
export function hardSigmoid(builder: GraphBuilder, x: string): string {
  return affine(builder, clip(builder, x, -3, 3), { scale: 1 / 6, shift: 0.5 });
}

/** torch's GELU with `approximate='tanh'`. */
export function geluTanh(builder: GraphBuilder, x: string): string {
  const cube = mul(builder, mul(builder, x, x), x);
  const inner = add(builder, x, affine(builder, cube, { scale: 0.044715 }));
  const integral = affine(builder, tanh(builder, affine(builder, inner, { scale: Math.sqrt(2 / Math.PI) })), {
    shift: 1,
  });
  return affine(builder, mul(builder, x, integral), { scale: 0.5 });
}
