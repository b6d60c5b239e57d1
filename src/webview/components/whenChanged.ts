/** A function that runs `work` only when one of the values that it is given is another than the last time. */
export function whenChanged<Values extends readonly unknown[]>(work: (...values: Values) => void) {
  let last: Values | undefined;
  return (...values: Values): void => {
    const before = last;
    if (before !== undefined && values.every((value, at) => Object.is(value, before[at]))) return;
    last = values;
    work(...values);
  };
}
