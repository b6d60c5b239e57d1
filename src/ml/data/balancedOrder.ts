import { permutation, type Random } from '../graph/random.ts';

/**
 * An epoch in which every class comes up equally often: as many places as there are samples, shared evenly between the
 * classes. Of a large class some samples are drawn, those of a small one come up several times, each as often as the others
 * to within one.
 */
export function balancedOrder(classOf: readonly number[], random: Random): Uint32Array {
  const samplesOf = new Map<number, number[]>();
  classOf.forEach((label, sample) => {
    const samples = samplesOf.get(label);
    if (samples) samples.push(sample);
    else samplesOf.set(label, [sample]);
  });
  const classes = [...samplesOf.values()];
  const [each, rest] = [Math.floor(classOf.length / classes.length), classOf.length % classes.length];
  const luck = permutation(classes.length, random);
  const drawn = classes.flatMap((samples, index) => {
    const order = permutation(samples.length, random);
    const count = each + Number((luck[index] ?? 0) < rest);
    return Array.from({ length: count }, (_, turn) => samples[order[turn % samples.length] ?? 0] ?? 0);
  });
  return permutation(drawn.length, random).map((place) => drawn[place] ?? 0);
}

/** For each place of an order how often its sample came up before. */
export function timesBefore(order: Uint32Array): Uint32Array {
  const seen = new Map<number, number>();
  return order.map((sample) => {
    const before = seen.get(sample) ?? 0;
    seen.set(sample, before + 1);
    return before;
  });
}
