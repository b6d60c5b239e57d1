/**
 * McNemar's exact test of two classifiers on the same images: the two-sided p of the hypothesis that each is as likely as
 * the other to be right where only one is. `onlyFirst` and `onlySecond` count the images that only one got right. From the
 * binomial distribution, as `mcnemar(exact=True)` of statsmodels; 1 if there are none.
 */
export function mcnemarP(onlyFirst: number, onlySecond: number): number {
  const [fewer, all] = [Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond];
  // The largest term of the tail as a logarithm, for counts whose powers of two no number holds; the others relative to it.
  let logarithm = -all * Math.LN2;
  for (let index = 1; index <= fewer; index++) logarithm += Math.log((all - fewer + index) / index);
  let [term, sum] = [1, 1];
  for (let index = fewer; index > 0 && term > 1e-18; index--) sum += term *= index / (all - index + 1);
  return Math.min(1, 2 * Math.exp(logarithm) * sum);
}

/**
 * p values adjusted for being several, by Holm's step-down method: the chance of one false alarm among all stays below the
 * level that they are compared with. In the order given.
 */
export function holmAdjusted(values: readonly number[]): number[] {
  const adjusted = values.slice();
  let largest = 0;
  const order = values.map((value, place) => ({ value, place })).sort((a, b) => a.value - b.value);
  order.forEach(({ value, place }, rank) => {
    largest = Math.max(largest, Math.min(1, value * (values.length - rank)));
    adjusted[place] = largest;
  });
  return adjusted;
}
