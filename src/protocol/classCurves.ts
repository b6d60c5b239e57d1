import type { ClassLabel } from './checkpointMetadata.ts';

/** An image's probabilities, in the order of the labels, and its class. */
export interface ScoredImage {
  /** Index of its class, as the labels have it. */
  readonly actual: number;
  readonly probabilities: Float64Array | Float32Array;
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
export interface ScoreCurve {
  /** Precision, averaged over the steps of recall that each threshold adds. */
  readonly averagePrecision: number;
  /** Under the ROC curve; absent where every image is of the class. */
  readonly areaUnderRoc?: number;
  /** One for each probability that an image has, the highest first. */
  readonly points: readonly CurvePoint[];
}

/** The same of a class with its label. */
export interface ClassCurve extends ClassLabel, ScoreCurve {
  /** Its own images. */
  readonly images: number;
}

/** Means over classes, each counting the same; absent where no class has the figure. */
export interface CurveMeans {
  readonly averagePrecision?: number;
  readonly areaUnderRoc?: number;
}

export function curveMeans(curves: readonly Pick<ScoreCurve, 'averagePrecision' | 'areaUnderRoc'>[]): CurveMeans {
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
  const [own, others]: [number[], number[]] = [[], []];
  for (const { actual, probabilities } of images) {
    (actual === label.index ? own : others).push(probabilities[column] ?? 0);
  }
  if (own.length === 0) return undefined;
  const { index, folder, name } = label;
  return { index, folder, name, images: own.length, ...scoreCurve(Float64Array.from(own), Float64Array.from(others)) };
}

/**
 * The curves of all classes together (micro average): each image counts once for each class, as its own or not, as
 * `average="micro"` of scikit-learn has it. Classes without an image count too: what they are taken for is wrong.
 */
export function microCurve(labels: readonly Pick<ClassLabel, 'index'>[], images: readonly ScoredImage[]): ScoreCurve {
  const columns = new Map(labels.map(({ index }, column) => [index, column]));
  const own = new Float64Array(images.length);
  const others = new Float64Array(images.length * Math.max(0, labels.length - 1));
  let place = 0;
  images.forEach(({ actual, probabilities }, at) => {
    const ownColumn = columns.get(actual);
    for (let column = 0; column < labels.length; column++) {
      if (column === ownColumn) own[at] = probabilities[column] ?? 0;
      else others[place++] = probabilities[column] ?? 0;
    }
  });
  return scoreCurve(own, others.subarray(0, place));
}

/** Curves of scores that the own images and the others have, one or more own. Sorts both. */
function scoreCurve(own: Float64Array, others: Float64Array): ScoreCurve {
  own.sort();
  others.sort();
  const points: CurvePoint[] = [{ precision: 1, recall: 0, falsePositiveRate: 0 }];
  let [averagePrecision, area] = [0, 0];
  let [nextOwn, nextOther] = [own.length - 1, others.length - 1];
  while (nextOwn >= 0 || nextOther >= 0) {
    const threshold = Math.max(own[nextOwn] ?? -Infinity, others[nextOther] ?? -Infinity);
    // Images of the same probability pass a threshold together.
    while (nextOwn >= 0 && own[nextOwn] === threshold) nextOwn--;
    while (nextOther >= 0 && others[nextOther] === threshold) nextOther--;
    const [hits, called] = [own.length - 1 - nextOwn, others.length - 1 - nextOther];
    const before = points.at(-1);
    const recall = hits / own.length;
    const precision = hits / (hits + called);
    const falsePositiveRate = others.length === 0 ? 0 : called / others.length;
    averagePrecision += (recall - (before?.recall ?? 0)) * precision;
    area += ((falsePositiveRate - (before?.falsePositiveRate ?? 0)) * (recall + (before?.recall ?? 0))) / 2;
    points.push({ threshold, precision, recall, falsePositiveRate });
  }
  return { averagePrecision, ...(others.length === 0 ? {} : { areaUnderRoc: area }), points };
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
