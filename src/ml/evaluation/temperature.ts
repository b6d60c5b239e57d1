/** An image's probabilities at temperature 1, and its class. */
export interface FittedImage {
  /** Position of its class among the probabilities. */
  readonly actual: number;
  readonly probabilities: ArrayLike<number>;
}

/** What a probability is taken for that float32 has rounded to 0: the smallest above. */
const leastProbability = 2 ** -149;
/** Temperatures beyond these are of no use: the probabilities are all the same, or 0 and 1. */
const highest = 1000;
const tolerance = 1e-12;
const mostSteps = 200;

/**
 * The probabilities of a softmax whose logits are divided by `temperature`, from those of the softmax itself: each to the
 * power of 1 / temperature, over their sum. Above 1 they become less sure, below 1 surer; their order stays.
 */
export function atTemperature(probabilities: ArrayLike<number>, temperature: number): Float64Array {
  const logits = logarithms(probabilities);
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const raised = logits.map((value) => Math.exp((value - top) / temperature));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((value) => value / sum);
}

/**
 * The temperature at which the mean negative log-likelihood of the images' own classes is least (temperature scaling; Guo
 * et al. 2017, "On Calibration of Modern Neural Networks"). The loss is convex in 1 / temperature: the place where its slope is 0
 * is found by Newton's method between bounds, to 12 digits. Undefined where it has no least between 0.001 and 1000: the
 * images are all predicted right, or no better than by chance.
 */
export function fitTemperature(images: readonly FittedImage[]): number | undefined {
  const rows = images.map(({ actual, probabilities }) => {
    const logits = logarithms(probabilities);
    return { logits, own: logits[actual] ?? 0 };
  });
  let [low, high] = [1 / highest, highest];
  if (rows.length === 0 || slopeAt(low, rows).slope >= 0 || slopeAt(high, rows).slope <= 0) return undefined;
  let factor = 1;
  for (let step = 0; step < mostSteps; step++) {
    const { slope, bend } = slopeAt(factor, rows);
    if (slope > 0) high = factor;
    else low = factor;
    const newton = factor - slope / bend;
    // Where Newton's step leaves the bounds, the middle of their logarithms is taken.
    const next = newton > low && newton < high ? newton : Math.sqrt(low * high);
    if (Math.abs(next - factor) <= tolerance * factor) return 1 / next;
    factor = next;
  }
  return 1 / factor;
}

interface FittedRow {
  readonly logits: Float64Array;
  /** Of the image's own class. */
  readonly own: number;
}

/** First and second derivative of the mean loss by `factor`, the inverse of the temperature. */
function slopeAt(factor: number, rows: readonly FittedRow[]): { slope: number; bend: number } {
  let [slope, bend] = [0, 0];
  for (const { logits, own } of rows) {
    const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    let [sum, first, second] = [0, 0, 0];
    for (const value of logits) {
      const weight = Math.exp(factor * (value - top));
      sum += weight;
      first += weight * (value - top);
      second += weight * (value - top) ** 2;
    }
    const mean = first / sum;
    slope += mean - (own - top);
    bend += second / sum - mean ** 2;
  }
  return { slope: slope / rows.length, bend: bend / rows.length };
}

function logarithms(probabilities: ArrayLike<number>): Float64Array {
  return Float64Array.from(probabilities, (value) => Math.log(Math.max(value, leastProbability)));
}
