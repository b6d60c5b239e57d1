import { classCurve, curveMeans, type CurveMeans, type CurvePoint, microCurve } from '../../protocol/classCurves.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { scoredImages } from '../../protocol/keptProbabilities.ts';
import { html, type Markup, safe } from './markup.ts';
import { shareDiagram } from './shareDiagram.ts';

/** How well the probabilities of a test tell each class from the others. */
export interface Ranking {
  /** By the index of the class; classes without an image have none. */
  readonly ofClass: ReadonlyMap<number, Required<CurveMeans>>;
  readonly means: CurveMeans;
  /** The curves of all classes together; undefined where they would have too many points. */
  readonly points: readonly CurvePoint[] | undefined;
}

/** Probabilities whose curve of all classes together is drawn. */
const mostScores = 1_000_000;

/** Undefined for a test that kept no probabilities. */
export function rankingOf(evaluation: Evaluation): Ranking | undefined {
  const { probabilities, perClass } = evaluation;
  const images = probabilities && scoredImages(evaluation, probabilities);
  if (images === undefined || probabilities === undefined) return undefined;
  const { classes } = probabilities;
  const columns = new Map(classes.map((index, column) => [index, column]));
  const curves = perClass.flatMap((label) => classCurve(label, columns.get(label.index) ?? -1, images) ?? []);
  const ofClass = curves.map(({ index, averagePrecision, areaUnderRoc = NaN }) => [index, { averagePrecision, areaUnderRoc }] as const); // prettier-ignore
  const isSmall = images.length * classes.length <= mostScores;
  const points = isSmall ? microCurve(classes.map((index) => ({ index })), images).points : undefined; // prettier-ignore
  return { ofClass: new Map(ofClass), means: curveMeans(curves), points };
}

/** The precision-recall and the ROC curve of all classes together. */
export function rankingSection({ points }: Ranking): Markup | undefined {
  if (points === undefined) return undefined;
  const picture = (name: string, x: string, y: string, place: (point: CurvePoint) => readonly [number, number]) =>
    shareDiagram({ name, x, y }, (xOf, yOf) => {
      const corners = thinned(points.map(place).map(([at, value]) => `${halves(xOf(at))},${halves(yOf(value))}`));
      return [`<polyline points="${corners.join(' ')}" fill="none" stroke="var(--training)" stroke-width="2"/>`];
    });
  const [precision, roc] = [
    picture('Precision and recall', 'Recall', 'Precision', (point) => [point.recall, point.precision]),
    picture('ROC curve', 'False positive rate', 'True positive rate', (point) => [point.falsePositiveRate, point.recall]), // prettier-ignore
  ];
  return html`<h3>Precision-recall and ROC curve</h3>
    <p class="hint">Of all classes together: each image counts once for each class, as one of its own or not.</p>
    <div class="chart pair">${safe(precision)}${safe(roc)}</div>`;
}

/** To half a pixel, so that however many points make a small picture. */
function halves(pixels: number): number {
  return Math.round(2 * pixels) / 2;
}

/** Without those that lie where the one before does. */
function thinned(corners: readonly string[]): string[] {
  return corners.filter((corner, at) => corner !== corners[at - 1]);
}
