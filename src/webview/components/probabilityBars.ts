import * as l10n from '@vscode/l10n';
import type { RankedClass } from '../../protocol/prediction.ts';
import { element } from './element.ts';
import { percent } from '../../charts/format.ts';

export type BarOptions = {
  /** Class to set off with a mark and bold type, by index. */
  emphasized?: number | undefined;
  limit?: number;
};

/** A ranking as a list of bars, their length the probability. */
export function probabilityBars(ranking: readonly RankedClass[], options: BarOptions = {}): HTMLOListElement {
  const shown = ranking.slice(0, options.limit ?? ranking.length);
  return element(
    'ol',
    { class: 'bars' },
    shown.map((entry) => barRow(entry, entry.index === options.emphasized)),
  );
}

function barRow({ name, folder, probability }: RankedClass, emphasized: boolean): HTMLLIElement {
  const title = name === folder ? name : l10n.t('{0} (folder {1})', name, folder);
  return element('li', { class: emphasized ? 'bar emphasized' : 'bar', title }, [
    element('span', { class: 'bar-name' }, [name]),
    element('span', { class: 'bar-value' }, [percent(probability)]),
    bar(probability),
  ]);
}

/** The bar alone; what it says must stand beside it as text. */
export function bar(share: number): HTMLElement {
  const filled = element('span', { class: 'bar-fill' });
  filled.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return element('span', { class: 'bar-track', 'aria-hidden': 'true' }, [filled]);
}
