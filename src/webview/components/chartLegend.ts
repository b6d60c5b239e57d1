import * as l10n from '@vscode/l10n';
import { element } from './element.ts';
import type { LegendEntry } from '../../charts/curve.ts';
import { lineSample } from './lineSample.ts';

/** A chart's legend in the page. */
export function chartLegend(entries: readonly LegendEntry[]): HTMLElement {
  return element(
    'ul',
    { class: 'chart-legend', 'aria-label': l10n.t('Legend') },
    entries.map((entry) => element('li', {}, [lineSample(entry), entry.label])),
  );
}
