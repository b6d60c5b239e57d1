import type { ClassLabel } from './checkpointMetadata.ts';

/** An image's probabilities, in the order of the labels, and its class. */
export interface ScoredImage {
  /** Index of its class, as the labels have it. */
  readonly actual: number;
  readonly probabilities: Float64Array;
}

/** What it means to call every image of a class whose probability for it is `threshold` or more. */
export interface CurvePoint {
  /** Absent in the first point, where no image is. */
  readonly threshold?: number;
  /** 1 where no image is, as scikit-learn has it. */
  readonly precision: number;
  /** The true positive rate. */
  readonly recall: number;
  /** Share of the other classes' images; 0 where there are none. */
  readonly falsePositiveRate: number;
}

/** Precision-recall and ROC curve of one class against the rest. */
export interface ClassCurve extends ClassLabel {
  /** Its own images. */
  readonly images: number;
  /** Precision, averaged over the steps of recall that each threshold adds. */
  readonly averagePrecision: number;
  /** Under the ROC curve; absent where every image is of the class. */
  readonly areaUnderRoc?: number;
  /** One for each probability that an image has, the highest first. */
  readonly points: readonly CurvePoint[];
}

/** Means over classes, each counting the same; absent where no class has the figure. */
export interface CurveMeans {
  readonly averagePrecision?: number;
  readonly areaUnderRoc?: number;
}

export function curveMeans(curves: readonly Omit<ClassCurve, 'points'>[]): CurveMeans {
  const averagePrecision = mean(curves.map((curve) => curve.averagePrecision));
  const areaUnderRoc = mean(curves.flatMap((curve) => curve.areaUnderRoc ?? []));
  return {
    ...(averagePrecision === undefined ? {} : { averagePrecision }),
    ...(areaUnderRoc === undefined ? {} : { areaUnderRoc }),
  };
}

/**
 * The precision-recall and the ROC curve of a class against the rest, as scikit-learn's `precision_recall_curve`,
 * `roc_curve` with every threshold, `average_precision_score` and `roc_auc_score` make them of the class's column (Davis
 * and Goadrich 2006). `column` is the label's place among the probabilities. They are of the images given, which are those
 * that decode; a class without an image among them has none: undefined.
 */
export function classCurve(label: ClassLabel, column: number, images: readonly ScoredImage[]): ClassCurve | undefined {
  const scored = images.map(({ actual, probabilities }) => ({
    own: actual === label.index,
    score: probabilities[column] ?? 0,
  }));
  scored.sort((a, b) => b.score - a.score);
  const own = scored.filter((image) => image.own).length;
  if (own === 0) return undefined;
  const others = scored.length - own;
  const points: CurvePoint[] = [{ precision: 1, recall: 0, falsePositiveRate: 0 }];
  let [hits, averagePrecision, area] = [0, 0, 0];
  scored.forEach((image, place) => {
    hits += Number(image.own);
    // Images of the same probability pass a threshold together.
    if (scored[place + 1]?.score === image.score) return;
    const before = points.at(-1);
    const recall = hits / own;
    const precision = hits / (place + 1);
    const falsePositiveRate = others === 0 ? 0 : (place + 1 - hits) / others;
    averagePrecision += (recall - (before?.recall ?? 0)) * precision;
    area += ((falsePositiveRate - (before?.falsePositiveRate ?? 0)) * (recall + (before?.recall ?? 0))) / 2;
    points.push({ threshold: image.score, precision, recall, falsePositiveRate });
  });
  const { index, folder, name } = label;
  const roc = others === 0 ? {} : { areaUnderRoc: area };
  return { index, folder, name, images: own, averagePrecision, ...roc, points };
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
