export type Smoothed = { values: Float64Array; length: number; average: number; count: number; weight: number };

/**
 * Exponential moving average without the pull to zero at the start, as TensorBoard's scalar charts draw it: the average
 * starts at 0 and is divided by `1 - weight^n`. Values that are not finite stay as they are and do not count. A value may
 * be the mean of `steps` values, and then counts as that many. With `before`, the result of the same values' beginning,
 * only the new ones are computed.
 */
export function smooth(values: Float64Array, weight: number, before?: Smoothed, steps?: Float64Array): Smoothed {
  const goesOn = before?.weight === weight && before.length <= values.length;
  const state: Smoothed = !goesOn
    ? { values: new Float64Array(Math.max(256, values.length)), length: 0, average: 0, count: 0, weight }
    : before;
  if (state.values.length < values.length) state.values = widened(state.values, values.length * 2);
  for (let index = state.length; index < values.length; index++) {
    state.values[index] = next(state, values[index] ?? NaN, steps?.[index] ?? 1);
  }
  state.length = values.length;
  return state;
}

function next(state: Smoothed, value: number, steps: number): number {
  if (!Number.isFinite(value)) return value;
  const kept = state.weight ** steps;
  state.average = state.average * kept + (1 - kept) * value;
  state.count += steps;
  return state.average / (1 - state.weight ** state.count);
}

function widened(values: Float64Array, length: number): Float64Array {
  const wider = new Float64Array(length);
  wider.set(values);
  return wider;
}
