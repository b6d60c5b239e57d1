import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { images } from '../components/format.ts';
import { whenChanged } from '../components/whenChanged.ts';
import type { Cell } from './confusionGrid.ts';
import { classNames, imagesBehind, type ImageResult } from './confusions.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

export type BehindSection = {
  element: HTMLElement;
  draw: (evaluation: ShownEvaluation, cell: Cell | undefined) => void;
};

/** The images behind a cell of the confusion matrix. */
export function behindSection(
  gallery: (results: readonly ImageResult[], evaluation: ShownEvaluation) => HTMLElement,
  onClose: () => void,
): BehindSection {
  const section = element('section', {
    class: 'behind',
    'aria-label': l10n.t('Images of the selected cell'),
    tabindex: -1,
  });
  const draw = whenChanged((evaluation: ShownEvaluation, cell: Cell | undefined) => {
    section.hidden = cell === undefined;
    if (cell === undefined) return;
    const name = classNames(evaluation);
    const results = imagesBehind(evaluation, cell.actual, cell.predicted);
    section.replaceChildren(
      element('h2', {}, [
        l10n.t('{0} predicted as {1}: {2}', name(cell.actual), name(cell.predicted), images(results.length)),
        ' ',
        element(
          'button',
          { type: 'button', class: 'icon', title: l10n.t('Close'), 'aria-label': l10n.t('Close'), onclick: onClose },
          ['×'],
        ),
      ]),
      gallery(results, evaluation),
    );
  });
  return { element: section, draw };
}
