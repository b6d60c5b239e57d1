import * as l10n from '@vscode/l10n';
import { count, images, percent } from '../../charts/format.ts';
import { unsureBelow, type Verdict } from './groups.ts';

/** Values of *Color by* beside the titles of tests. */
export const byClass = 'class';
export const byHead = 'head';

/** How many predictions are right, unsure and wrong. */
export function outcomeText(verdicts: readonly (Verdict | undefined)[]): string {
  const told = verdicts.filter((verdict) => verdict !== undefined);
  const wrong = told.filter(({ isRight }) => !isRight).length;
  const unsure = told.filter(({ isRight, probability }) => isRight && probability < unsureBelow).length;
  return [
    l10n.t('{0} right', count(told.length - wrong - unsure)),
    l10n.t('{0} unsure', count(unsure)),
    l10n.t('{0} wrong', count(wrong)),
  ].join(' · ');
}

/** Of how many images there is a prediction. */
export function shownOfMap(verdicts: readonly (Verdict | undefined)[], all: number): string {
  const told = verdicts.filter((verdict) => verdict !== undefined).length;
  return told === all ? l10n.t('all images') : l10n.t('{0} of {1} here', count(told), images(all));
}

/** What was predicted of an image, with a sign that is not only a colour. */
export function verdictText(verdict: Verdict | undefined): string {
  if (!verdict) return l10n.t('not tested');
  return `${verdict.isRight ? '✓' : '✗'} ${verdict.predicted} ${percent(verdict.probability, 0)}`;
}

/** The same for a screen reader. */
export function spokenVerdict(verdict: Verdict | undefined): string {
  if (!verdict) return l10n.t('not tested');
  const { predicted, probability, isRight } = verdict;
  return isRight
    ? l10n.t('right, {0} confident', percent(probability, 0))
    : l10n.t('wrong, predicted as {0}, {1} confident', predicted, percent(probability, 0));
}
