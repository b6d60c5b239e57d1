import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { csv } from '../../protocol/csv.ts';
import { plural } from '../../protocol/plural.ts';
import { someOf } from '../../protocol/someOf.ts';
import { writeAtomically } from '../../runs/atomicFile.ts';
import {
  classCurve,
  curveMeans,
  type ClassCurve,
  type CurveMeans,
  type ScoredImage,
} from '../../protocol/classCurves.ts';

/** The curves of all classes as `--json` has them. */
export interface WrittenCurves {
  readonly means: CurveMeans;
  /** With their points, unless those are more than fit into one object; the file has all. */
  readonly classes: readonly (Omit<ClassCurve, 'points'> & Partial<Pick<ClassCurve, 'points'>>)[];
  /** Classes without a tested image, which have no curve and count in no mean. */
  readonly withoutImages: readonly ClassLabel[];
}

/** Points that go into an object of `--json`; of each about a hundred bytes. */
const mostPoints = 1_000_000;

/**
 * Writes the curves of each class as CSV, a row per class and threshold: for the precision-recall curve the columns recall
 * and precision, for the ROC curve false positive rate and recall. Throws a user error where the disk refuses.
 */
export async function writeCurves(
  file: string,
  labels: readonly ClassLabel[],
  images: readonly ScoredImage[],
): Promise<WrittenCurves> {
  const classes: WrittenCurves['classes'][number][] = [];
  const withoutImages: ClassLabel[] = [];
  const keepsPoints = labels.length * images.length <= mostPoints;
  await writeAtomically(file, async (handle) => {
    await handle.appendFile(csv([['class', 'name', 'threshold', 'precision', 'recall', 'false positive rate']]));
    for (const [column, label] of labels.entries()) {
      const curve = classCurve(label, column, images);
      if (!curve) {
        withoutImages.push(label);
        continue;
      }
      const { points, ...figures } = curve;
      const { folder, name } = label;
      await handle.appendFile(
        csv(points.map((at) => [folder, name, at.threshold, at.precision, at.recall, at.falsePositiveRate])),
      );
      classes.push(keepsPoints ? curve : figures);
    }
  });
  return { means: curveMeans(classes), classes, withoutImages };
}

/** What `fivecrop test --curves` prints of them. */
export function curveLines({ means, classes, withoutImages }: WrittenCurves): string[] {
  const figure = (value: number | undefined) => value?.toFixed(3) ?? '-';
  const left = withoutImages.map(({ folder }) => folder);
  const without = left.length === 0 ? [] : [`No curve, because there are no images: ${someOf(left)}`];
  return [
    `Mean over ${plural(classes.length, 'class', 'classes')}: average precision ${figure(means.averagePrecision)}, area under the ROC curve ${figure(means.areaUnderRoc)}`,
    ...without,
  ];
}
