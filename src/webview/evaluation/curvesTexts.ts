import * as l10n from '@vscode/l10n';
import { images, percent } from '../../charts/format.ts';
import { curveMeans } from '../../protocol/classCurves.ts';
import { classNames } from './confusions.ts';
import type { CurvesOf } from './scoreCharts.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';
import type { ShownScores } from './shownScores.ts';

/** Fewer images of a class than this make curves that other images would change much. */
const fewImages = 20;

/** What curves are of. */
export function curvesTitle(of: CurvesOf, evaluation: ShownEvaluation): string {
  if (of === 'macro') return l10n.t('Mean of the classes');
  return of === 'micro' ? l10n.t('All classes together') : classNames(evaluation)(of);
}

/** The choices, those classes first whose curves are worst. */
export function curvesChoices(scores: ShownScores): { value: string; label: string }[] {
  const worstFirst = scores.curves().toSorted((a, b) => a.averagePrecision - b.averagePrecision);
  return [
    { value: 'macro', label: l10n.t('Mean of the classes (macro)') },
    { value: 'micro', label: l10n.t('All classes together (micro)') },
    ...worstFirst.map(({ index, name, averagePrecision }) => ({ value: String(index), label: `${name} (${percent(averagePrecision)})` })), // prettier-ignore
  ];
}

/** The choice that a value of the list stands for. */
export function curvesOf(value: string): CurvesOf {
  return value === 'macro' || value === 'micro' ? value : Number(value);
}

/** Areas below the curves, in a sentence, and what to do with them. */
export function curvesNote(of: CurvesOf, scores: ShownScores): string {
  const curve = of === 'macro' ? curveMeans(scores.curves()) : of === 'micro' ? scores.micro() : scores.curves().find(({ index }) => index === of); // prettier-ignore
  const figure = (value: number | undefined) => value?.toFixed(4) ?? '–';
  const areas = l10n.t('Average precision {0}, area under the ROC curve {1}.', figure(curve?.averagePrecision), figure(curve?.areaUnderRoc)); // prettier-ignore
  const use =
    of === 'macro'
      ? l10n.t('Choose a class, or all classes together, to see the images behind a threshold.')
      : l10n.t('Click into a curve to choose a threshold: an image is called the class if its probability is that or more.'); // prettier-ignore
  return `${areas} ${use}`;
}

/** What to know of curves of few images; empty if there are enough. */
export function fewImagesNote(of: CurvesOf, evaluation: ShownEvaluation): string {
  if (typeof of !== 'number') {
    const few = evaluation.perClass.filter((row) => row.images > 0 && row.images < fewImages).length;
    return of === 'macro' && few > 0
      ? l10n.t('{0} of the classes have fewer than {1} images: their curves would look different with other images.', few, fewImages) // prettier-ignore
      : '';
  }
  const own = ownImages(of, evaluation);
  if (own >= fewImages) return '';
  return l10n.t('Only {0} of this class: each moves the recall by {1}, and the curves would look different with other images.', images(own), percent(1 / own)); // prettier-ignore
}

function ownImages(of: number, { perClass }: ShownEvaluation): number {
  return perClass.find(({ index }) => index === of)?.images ?? 0;
}

/** The share of a class among the images, which is the precision that chance would have. */
export function shareOfOwn(of: CurvesOf, evaluation: ShownEvaluation, classes: number): number | undefined {
  if (of === 'macro') return undefined;
  return of === 'micro' ? 1 / classes : ownImages(of, evaluation) / evaluation.results.length;
}
