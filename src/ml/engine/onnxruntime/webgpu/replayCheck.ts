/** Numbers of a tensor. */
type Values = ArrayLike<number | bigint>;

/** Whether a replay is compared with runs, counted from 1: the first two, ever fewer of the later ones, but never none. */
export function isCompared(replay: number): boolean {
  return replay === 2 || Number.isInteger(Math.log2(replay) / 3) || replay % 1024 === 0;
}

/** The largest difference of two values of equal place; none where both are the same, though no numbers. */
export function largestDifference(some: Values, others: Values): number {
  let most = 0;
  for (let at = 0; at < some.length; at++) {
    const [one, other] = [some[at], others[at]];
    if (Object.is(one, other)) continue;
    const difference = Math.abs(Number(one) - Number(other));
    // A difference from what is no number is none, and larger than any.
    if (!(difference <= most)) most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return most;
}

/** The largest value, whatever its sign. */
export function largestValue(values: Iterable<number | bigint>): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(Number(value)));
  return most;
}

/** Share of what a step moves in a tensor, by which a replay may be off, beside what two runs differ by. */
export const movedShare = 1e-3;
/** The same share of the largest value that a step tells. */
export const toldShare = 1e-5;
/** By how many times the difference of two runs a replay may be off: some devices add numbers in no fixed order. */
export const timesAsFar = 4;
