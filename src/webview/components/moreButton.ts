import * as l10n from '@vscode/l10n';
import { element } from './element.ts';
import { setText } from './setText.ts';

/**
 * A button below the first `step` of `total` items, which has the next ones shown; undefined where there are no more.
 */
export function moreButton(
  total: number,
  step: number,
  show: (from: number, end: number) => void,
): HTMLElement | undefined {
  if (total <= step) return undefined;
  let shown = step;
  const label = () => l10n.t('Show {0} more of {1}', Math.min(step, total - shown), total - shown);
  const more = element('button', { type: 'button', class: 'link' }, [label()]);
  more.addEventListener('click', () => {
    show(shown, shown + step);
    shown += step;
    setText(more, label());
    more.hidden = shown >= total;
  });
  return more;
}
