import * as l10n from '@vscode/l10n';
import { mcnemarP } from '../../protocol/mcnemar.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import { element } from '../components/element.ts';
import { images, short } from '../../charts/format.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { whenChanged } from '../components/whenChanged.ts';
import { isOutdated } from './chooseEvaluation.ts';
import { cropCounts, type CropCounts } from './cropComparison.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

export type CropsSection = {
  element: HTMLElement;
  /** `written` is when the checkpoint was. */
  draw: (one: ShownEvaluation | undefined, five: ShownEvaluation | undefined, written: string | undefined) => void;
};

/** Which images one crop gets right and five do not, and the other way round. */
export function cropsSection(onOpen: (right: CropCount) => void): CropsSection {
  const told = element('div');
  const section = element('section', { 'aria-label': l10n.t('One crop against five') }, [
    element('h2', {}, [l10n.t('One crop against five')]),
    told,
  ]);
  const draw = whenChanged(
    (one: ShownEvaluation | undefined, five: ShownEvaluation | undefined, written: string | undefined) => {
      const pair = { ...(one ? { 1: one } : {}), ...(five ? { 5: five } : {}) };
      const counts = cropCounts(pair);
      const outdated = [one, five].some((test) => test && isOutdated(test, written));
      keepFocus(told, () => told.replaceChildren(...(counts ? comparison(counts, outdated, onOpen) : [untested()])));
    },
  );
  return { element: section, draw };
}

function untested(): HTMLElement {
  return element('p', { class: 'hint' }, [l10n.t('Test with one crop and with five to compare them.')]);
}

function comparison(
  { both, onlyOne, onlyFive, neither }: CropCounts,
  outdated: boolean,
  onOpen: (right: CropCount) => void,
): HTMLElement[] {
  const link = (number: number, right: CropCount) =>
    number === 0
      ? images(0)
      : element('button', { type: 'button', class: 'link', onclick: () => onOpen(right) }, [images(number)]);
  const rows: [string, HTMLElement | string][] = [
    [l10n.t('Right by both'), images(both)],
    [l10n.t('Right by one crop alone'), link(onlyOne, 1)],
    [l10n.t('Right by five crops alone'), link(onlyFive, 5)],
    [l10n.t('Wrong by both'), images(neither)],
    [l10n.t('p of McNemar’s exact test'), short(mcnemarP(onlyOne, onlyFive), 3)],
  ];
  const list = rows.map(([title, value]) =>
    element('div', {}, [element('dt', {}, [title]), element('dd', {}, [value])]),
  );
  const changed = element('p', { class: 'note' }, [
    l10n.t('⚠ The checkpoint has changed since one of these tests. Test it again.'),
  ]);
  return [
    element('dl', { class: 'facts' }, list),
    ...(outdated ? [changed] : []),
    element('p', { class: 'hint' }, [l10n.t('p is how likely such a difference is if both were equally good.')]),
  ];
}
