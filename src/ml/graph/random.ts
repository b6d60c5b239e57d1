/**
 * A small, fast generator of reproducible random numbers (xoshiro128**, Blackman and Vigna 2018), seeded through
 * splitmix32. Its state is four numbers that a checkpoint can keep.
 */
export interface Random {
  /** Uniform in [0, 1) with 32 bits. */
  next(): number;
  /** Standard normal, by the Box-Muller transform. */
  normal(): number;
  /** Whole number in [0, bound). */
  integer(bound: number): number;
  readonly state: Uint32Array;
}

/** A generator for a seed and a purpose; different purposes give independent streams of one seed. */
export function createRandom(...seeds: readonly (number | string)[]): Random {
  let mix = 0x9e3779b9;
  for (const character of seeds.join('\u0000'))
    mix = Math.imul(mix ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  const state = new Uint32Array(4);
  for (let index = 0; index < 4; index++) {
    mix = (mix + 0x9e3779b9) >>> 0;
    let value = Math.imul(mix ^ (mix >>> 16), 0x21f0aaad);
    value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
    state[index] = value ^ (value >>> 15);
  }
  return randomFrom(state);
}

/** Goes on from a state that `Random.state` held. The array is used, not copied. */
export function randomFrom(state: Uint32Array): Random {
  const at = (index: number) => state[index] ?? 0;
  const rotate = (value: number, bits: number) => ((value << bits) | (value >>> (32 - bits))) >>> 0;
  const next = () => {
    const result = Math.imul(rotate(Math.imul(at(1), 5), 7), 9) >>> 0;
    const shifted = at(1) << 9;
    state[2] = at(2) ^ at(0);
    state[3] = at(3) ^ at(1);
    state[1] = at(1) ^ at(2);
    state[0] = at(0) ^ at(3);
    state[2] = at(2) ^ shifted;
    state[3] = rotate(at(3), 11);
    return result / 0x1_0000_0000;
  };
  return {
    state,
    next,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    integer: (bound) => Math.floor(next() * bound),
  };
}

/** The whole numbers below `count` in random order (Fisher-Yates). */
export function permutation(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    const kept = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = kept;
  }
  return order;
}
