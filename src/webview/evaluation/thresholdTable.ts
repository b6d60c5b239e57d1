import * as l10n from '@vscode/l10n';
import { count, images, percent } from '../../charts/format.ts';
import { wilson } from '../../protocol/evaluationMetrics.ts';
import { element } from '../components/element.ts';
import type { ImageGroup } from './imageGroup.ts';
import type { ScoreGroups } from './shownScores.ts';

type CurveGroup = Extract<ImageGroup, { kind: 'curve' }>;

/** What a threshold finds and misses, with the images behind each number, and how sure precision and recall are. */
export function thresholdTable(
  { found, missed, wronglyCalled, wrongCalls }: ScoreGroups,
  onOpen: (part: CurveGroup['part']) => void,
): HTMLElement {
  const link = (part: CurveGroup['part'], number: number): HTMLElement | string =>
    number === 0
      ? images(0)
      : element('button', { type: 'button', class: 'link', onclick: () => onOpen(part) }, [images(number)]);
  const interval = (of: number, among: number): string => {
    if (among === 0) return '–';
    const { low, high } = wilson(of, among);
    return l10n.t('{0} ({1} of {2}, 95 % interval {3} to {4})', percent(of / among), count(of), count(among), percent(low), percent(high)); // prettier-ignore
  };
  const rows: [string, HTMLElement | string][] = [
    [l10n.t('Found'), link('found', found.length)],
    [l10n.t('Missed'), link('missed', missed.length)],
    [l10n.t('Wrongly called'), link('wronglyCalled', wronglyCalled.length)],
    [l10n.t('Precision'), interval(found.length, found.length + wrongCalls)],
    [l10n.t('Recall'), interval(found.length, found.length + missed.length)],
  ];
  return element('dl', { class: 'facts' }, rows.map(([title, value]) => element('div', {}, [element('dt', {}, [title]), element('dd', {}, [value])]))); // prettier-ignore
}
