import type { Evaluation } from './evaluation.ts';

/** Means over classes, each from 0 to 1. */
export type MeanMetrics = { precision: number; recall: number; f1: number };

/** A class's figures. `images` are its own (the support), `predicted` those that were taken for it. */
export type ClassMetrics = Evaluation['perClass'][number] & MeanMetrics & { predicted: number };

export type EvaluationMetrics = {
  /** 95 % confidence interval of the accuracy, by Wilson's score. */
  accuracyInterval: { low: number; high: number };
  /** Each class counts the same. */
  macro: MeanMetrics;
  /** Each class counts as often as it has images. */
  weighted: MeanMetrics;
  /** The classes that have images, or were predicted without having any, in the order of their index. */
  perClass: ClassMetrics[];
};

/** The 97.5 % quantile of the standard normal distribution. */
const z = 1.959963984540054;

/**
 * What follows from the confusions, as scikit-learn counts it: a ratio without a denominator is 0, such as the precision
 * of a class that was never predicted, and counts as 0 in the means.
 */
export function evaluationMetrics({
  perClass,
  confusion,
}: Pick<Evaluation, 'perClass' | 'confusion'>): EvaluationMetrics {
  const [images, predicted, right] = [new Map<number, number>(), new Map<number, number>(), new Map<number, number>()];
  const add = (counts: Map<number, number>, index: number, count: number) =>
    counts.set(index, (counts.get(index) ?? 0) + count);
  for (const [actual, asClass, count] of confusion) {
    add(images, actual, count);
    add(predicted, asClass, count);
    if (actual === asClass) add(right, actual, count);
  }
  const labels = new Map(perClass.map((label) => [label.index, label]));
  const classes = [...new Set([...images.keys(), ...predicted.keys()])]
    .sort((a, b) => a - b)
    .map((index): ClassMetrics => {
      // Files of older versions name only the classes that have images.
      const { folder, name } = labels.get(index) ?? { folder: '', name: `class ${index}` };
      const counts = { images: images.get(index) ?? 0, predicted: predicted.get(index) ?? 0 };
      const hits = right.get(index) ?? 0;
      const recall = ratio(hits, counts.images);
      return {
        ...{ index, folder, name, ...counts, accuracy: recall },
        ...{ precision: ratio(hits, counts.predicted), recall },
        f1: ratio(2 * hits, counts.images + counts.predicted),
      };
    });
  return {
    accuracyInterval: wilson(sum(right.values()), sum(images.values())),
    macro: means(classes, () => 1),
    weighted: means(classes, (row) => row.images),
    perClass: classes,
  };
}

/** The 95 % interval of a share by Wilson's score (Wilson 1927). */
export function wilson(right: number, images: number): { low: number; high: number } {
  if (images === 0) return { low: 0, high: 1 };
  const share = right / images;
  const center = share + (z * z) / (2 * images);
  const halfWidth = z * Math.sqrt((share * (1 - share) + (z * z) / (4 * images)) / images);
  const scale = 1 + (z * z) / images;
  return { low: Math.max(0, (center - halfWidth) / scale), high: Math.min(1, (center + halfWidth) / scale) };
}

function means(classes: readonly ClassMetrics[], weight: (row: ClassMetrics) => number): MeanMetrics {
  const whole = sum(classes.map(weight));
  const mean = (value: (row: ClassMetrics) => number) =>
    ratio(sum(classes.map((row) => weight(row) * value(row))), whole);
  return {
    precision: mean(({ precision }) => precision),
    recall: mean(({ recall }) => recall),
    f1: mean(({ f1 }) => f1),
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
