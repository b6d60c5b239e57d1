import type { Lowering } from '../../lowering/lowering.ts';

/** The error function in float64: its series near zero, a continued fraction of the complement beyond (both to 1e-12). */
export function erfDouble(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size < 2.5) {
    let [term, total] = [x, x];
    for (let n = 1; n < 80; n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let fraction = 0;
  for (let n = 120; n > 0; n--) fraction = n / 2 / (size + fraction);
  const complement = Math.exp(-size * size) / (Math.sqrt(Math.PI) * (size + fraction));
  return Math.sign(x) * (1 - complement);
}

/** Nodes and weights of Gauss and Legendre's quadrature on [0, 1], by Newton's method on the Legendre polynomial. */
function quadrature(count: number): { nodes: number[]; weights: number[] } {
  const points = Array.from({ length: count }, (_, index) => {
    let z = Math.cos((Math.PI * (index + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let round = 0; round < 100; round++) {
      let [last, value] = [0, 1];
      for (let n = 0; n < count; n++) [last, value] = [value, ((2 * n + 1) * z * value - n * last) / (n + 1)];
      slope = (count * (z * value - last)) / (z * z - 1);
      z -= value / slope;
    }
    return { node: (1 + z) / 2, weight: 1 / ((1 - z * z) * slope * slope) };
  });
  return { nodes: points.map(({ node }) => node), weights: points.map(({ weight }) => weight) };
}

/**
 * The error function in float64, which ONNX Runtime's CPU lacks: 2 / sqrt(pi) * x * integral over t from 0 to 1 of
 * exp(-(x t)^2), by quadrature; beyond 6 it is 1 to the last digit.
 */
export function lowerErfDouble(lowering: Lowering, x: string, shape: readonly number[], output?: string): string {
  const { emit, floats, integers } = lowering;
  const { nodes, weights } = quadrature(40);
  const near = emit('Clip', [x, floats([-6]), floats([6])]);
  const column = emit('Reshape', [near, integers([-1, 1])]);
  const products = emit('Mul', [column, floats(nodes, [1, nodes.length])]);
  const bells = emit('Exp', [emit('Neg', [emit('Mul', [products, products])])]);
  const sums = emit('Reshape', [emit('MatMul', [bells, floats(weights, [weights.length, 1])]), integers(shape)]);
  return emit('Mul', [emit('Mul', [near, floats([2 / Math.sqrt(Math.PI)])]), sums], {}, output);
}
