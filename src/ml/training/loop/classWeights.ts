/**
 * Weights that give every class the same say, scikit-learn’s `balanced`: images / (classes with images * images of the class).
 * The mean weight over the images is 1. A class without images gets 0, for no image ever asks for it.
 */
export function balancedClassWeights(labels: Iterable<number>, classes: number): Float64Array {
  const counts = new Float64Array(classes);
  let images = 0;
  for (const label of labels) {
    counts[label] = (counts[label] ?? 0) + 1;
    images++;
  }
  const present = counts.reduce((sum, count) => sum + Number(count > 0), 0);
  return counts.map((count) => (count === 0 ? 0 : images / (present * count)));
}
