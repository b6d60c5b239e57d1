import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { count } from '../../charts/format.ts';
import { button, dropdown, labelled } from '../components/toolkit.ts';
import { whenChanged } from '../components/whenChanged.ts';
import { suspectedMislabels, type ImageResult } from './confusions.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

/** Percent. */
const leastProbabilities = [50, 80, 90, 95, 99] as const;

export type MislabelSection = {
  element: HTMLElement;
  /** `least` is the probability of another class, in percent, from which on an image is suspected. */
  draw: (evaluation: ShownEvaluation, least: number) => void;
};

/** Images whose folder may be wrong. */
export function mislabelSection(
  gallery: (results: readonly ImageResult[], evaluation: ShownEvaluation) => HTMLElement,
  onLeast: (least: number) => void,
  onClean: (data: string) => void,
): MislabelSection {
  const choice = dropdown(l10n.t('Lowest probability of another class'), (value) => onLeast(Number(value)));
  const suspects = element('div');
  let data = '';
  const clean = button({
    label: l10n.t('Clean Data'),
    title: l10n.t('Put wrong classes right, by the features of a network'),
    onClick: () => onClean(data),
  });
  const section = element('section', { 'aria-label': l10n.t('Suspected mislabels') }, [
    element('h2', {}, [l10n.t('Suspected mislabels')]),
    element('div', { class: 'toolbar' }, [
      labelled(l10n.t('Probability of another class at least'), choice.element),
      clean,
    ]),
    suspects,
  ]);
  const draw = whenChanged((evaluation: ShownEvaluation, least: number) => {
    data = evaluation.data;
    choice.update(
      leastProbabilities.map((each) => ({ value: String(each), label: `${each} %` })),
      String(least),
    );
    const suspected = suspectedMislabels(evaluation, least / 100);
    const found =
      suspected.length === 1
        ? l10n.t('1 image that may be in the wrong folder. Nothing is moved.')
        : l10n.t(
            '{0} images that may be in the wrong folder, the most probable first. Nothing is moved.',
            count(suspected.length),
          );
    suspects.replaceChildren(
      element('p', { class: 'hint' }, [suspected.length === 0 ? l10n.t('None.') : found]),
      gallery(suspected, evaluation),
    );
  });
  return { element: section, draw };
}
