import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { whenChanged } from '../components/whenChanged.ts';
import type { ImageResult } from './confusions.ts';
import { imagesOf, type ImageGroup, type KnownBesides } from './imageGroup.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

export type BehindSection = {
  element: HTMLElement;
  /** Brings the images to the reader as soon as they are drawn. */
  goTo: () => void;
  /** `one` and `five` are the tests with one crop and with five. */
  draw: (
    evaluation: ShownEvaluation,
    one: ShownEvaluation | undefined,
    five: ShownEvaluation | undefined,
    group: ImageGroup | undefined,
    besides: KnownBesides,
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
  section.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') onClose();
  });
  let goes = false;
  const draw = whenChanged(
    (
      evaluation: ShownEvaluation,
      one: ShownEvaluation | undefined,
      five: ShownEvaluation | undefined,
      group: ImageGroup | undefined,
      scores: KnownBesides['scores'],
      table: KnownBesides['table'],
    ) => {
      section.hidden = group === undefined;
      if (group === undefined) return;
      const pair = { ...(one ? { 1: one } : {}), ...(five ? { 5: five } : {}) };
      const { title, results } = imagesOf(group, evaluation, pair, { scores, table });
      const close = l10n.t('Close');
      const closing = { type: 'button', class: 'icon', title: close, 'aria-label': close, onclick: onClose };
      section.replaceChildren(
        element('h2', {}, [title, ' ', element('button', closing, ['×'])]),
        gallery(results, evaluation),
      );
    },
  );
  return {
    element: section,
    goTo: () => {
      goes = true;
    },
    draw: (evaluation, one, five, group, { scores, table }) => {
      draw(evaluation, one, five, group, scores, table);
      if (goes && group !== undefined) section.focus();
      goes = false;
    },
  };
}
