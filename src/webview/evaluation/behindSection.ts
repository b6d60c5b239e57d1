import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { whenChanged } from '../components/whenChanged.ts';
import type { ImageResult } from './confusions.ts';
import { imagesOf, type ImageGroup } from './imageGroup.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

export type BehindSection = {
  element: HTMLElement;
  /** `one` and `five` are the tests with one crop and with five. */
  draw: (
    evaluation: ShownEvaluation,
    one: ShownEvaluation | undefined,
    five: ShownEvaluation | undefined,
    group: ImageGroup | undefined,
  ) => void;
};

/** The images of the group that was opened. */
export function behindSection(
  gallery: (results: readonly ImageResult[], evaluation: ShownEvaluation) => HTMLElement,
  onClose: () => void,
): BehindSection {
  const section = element('section', {
    class: 'behind',
    'aria-label': l10n.t('Images of the selected group'),
    tabindex: -1,
  });
  const draw = whenChanged(
    (
      evaluation: ShownEvaluation,
      one: ShownEvaluation | undefined,
      five: ShownEvaluation | undefined,
      group: ImageGroup | undefined,
    ) => {
      section.hidden = group === undefined;
      if (group === undefined) return;
      const { title, results } = imagesOf(group, evaluation, {
        ...(one ? { 1: one } : {}),
        ...(five ? { 5: five } : {}),
      });
      const close = l10n.t('Close');
      const closing = { type: 'button', class: 'icon', title: close, 'aria-label': close, onclick: onClose };
      section.replaceChildren(
        element('h2', {}, [title, ' ', element('button', closing, ['×'])]),
        gallery(results, evaluation),
      );
    },
  );
  return { element: section, draw };
}
