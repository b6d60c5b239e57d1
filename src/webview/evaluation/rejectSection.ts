import * as l10n from '@vscode/l10n';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { acceptedAt, rejectThreshold } from '../../protocol/rejection.ts';
import { element } from '../components/element.ts';
import { count, images, percent } from '../../charts/format.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { setText } from '../components/setText.ts';
import { dropdown, labelled } from '../components/toolkit.ts';
import { whenChanged } from '../components/whenChanged.ts';
import type { ImageGroup } from './imageGroup.ts';
import type { EvaluationPageState } from './pageState.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';
import { noTarget, targetErrors } from './targetErrors.ts';

type Reject = EvaluationPageState['reject'];

const steps = 1000;

export type RejectSection = {
  element: HTMLElement;
  /** A threshold is chosen by `validation`, the test of the validation images, where there is one. */
  draw: (evaluation: ShownEvaluation, validation: Evaluation | undefined, reject: Reject) => void;
};

/** From which confidence on predictions are accepted, and what that costs. */
export function rejectSection(onChoose: (reject: Reject) => void, onOpen: (group: ImageGroup) => void): RejectSection {
  const note = element('p', { class: 'hint' });
  const target = dropdown(l10n.t('Choose for an error of'), (value) =>
    onChoose(value === noTarget ? { threshold: 0 } : { targetError: Number(value) }),
  );
  const output = element('output');
  const slider = element('input', {
    type: 'range',
    min: 0,
    max: steps,
    step: 1,
    'aria-label': l10n.t('Lowest confidence that is accepted'),
  });
  slider.addEventListener('input', () => onChoose({ threshold: Number(slider.value) / steps }));
  const cost = element('div');
  const section = element('section', { 'aria-label': l10n.t('None of these') }, [
    element('h2', {}, [l10n.t('None of these')]),
    element('div', { class: 'toolbar' }, [
      element('label', { class: 'labelled' }, [element('span', {}, [l10n.t('Accepted from')]), slider, output]),
      labelled(l10n.t('Choose for an error of'), target.element),
    ]),
    note,
    cost,
  ]);
  const draw = whenChanged((evaluation: ShownEvaluation, validation: Evaluation | undefined, reject: Reject) => {
    const targetError = 'targetError' in reject ? reject.targetError : undefined;
    const found =
      targetError === undefined ? undefined : rejectThreshold((validation ?? evaluation).results, targetError);
    // Where no confidence reaches the error, nothing is accepted.
    const threshold = 'threshold' in reject ? reject.threshold : (found?.threshold ?? 2);
    slider.value = String(Math.round(threshold * steps));
    const told = threshold > 1 ? l10n.t('None') : percent(threshold);
    slider.setAttribute('aria-valuetext', told);
    setText(output, told);
    const choices = targetErrors.map((each) => ({ value: String(each), label: percent(each) }));
    target.update(
      [{ value: noTarget, label: '–' }, ...choices],
      targetError === undefined ? noTarget : String(targetError),
    );
    setText(note, noteOf(evaluation, validation, found === undefined ? targetError : undefined));
    keepFocus(cost, () => cost.replaceChildren(costTable(evaluation, threshold, onOpen)));
  });
  return { element: section, draw };
}

/** By which images an error is chosen for; `missed` is one that no confidence reaches. */
function noteOf(evaluation: ShownEvaluation, validation: Evaluation | undefined, missed: number | undefined): string {
  if (missed !== undefined)
    return l10n.t(
      'No confidence reaches an error of {0}: the most confident predictions are wrong too.',
      percent(missed),
    );
  if (validation)
    return l10n.t(
      'The confidence for an error is chosen by {0} of the validation split.',
      images(validation.results.length),
    );
  if (evaluation.split === 'valid')
    return l10n.t('The confidence for an error is chosen by the validation images that are shown.');
  return l10n.t(
    'The confidence for an error is chosen by the tested images themselves, so others will be wrong more often. Test the validation images with as many crops, and it is chosen by those.',
  );
}

function costTable(evaluation: ShownEvaluation, threshold: number, onOpen: (group: ImageGroup) => void): HTMLElement {
  const { accepted, coverage, error } = acceptedAt(evaluation.results, threshold);
  const all = evaluation.results.length;
  const wrong = evaluation.results.filter(({ actual, predicted }) => actual !== predicted).length;
  const acceptedWrong = Math.round(error * accepted);
  const cell = (number: number, isAccepted: boolean, right: boolean): HTMLElement => {
    if (number === 0) return element('td', { class: 'numeric' }, ['0']);
    const group = { kind: 'confidence' as const, threshold, accepted: isAccepted, right };
    const label = right ? l10n.t('Show the {0} that are right', images(number)) : l10n.t('Show the {0} that are wrong', images(number)); // prettier-ignore
    const attributes = { type: 'button', class: 'link', title: label, 'aria-label': label };
    return element('td', { class: 'numeric' }, [
      element('button', { ...attributes, onclick: () => onOpen(group) }, [count(number)]),
    ]);
  };
  const row = (title: string, isAccepted: boolean, right: number, wrongs: number, share: string): HTMLElement =>
    element('tr', {}, [
      element('th', { scope: 'row' }, [title]),
      cell(right, isAccepted, true),
      cell(wrongs, isAccepted, false),
      element('td', { class: 'numeric' }, [share]),
    ]);
  const heading = (title: string) => element('th', { scope: 'col', class: 'numeric' }, [title]);
  return element('table', { class: 'table' }, [
    element('caption', {}, [
      accepted === 0 ? l10n.t('Nothing is accepted.') : l10n.t('{0} of the accepted are wrong.', percent(error)),
    ]),
    element('thead', {}, [
      element('tr', {}, [
        element('th'),
        heading(l10n.t('Right')),
        heading(l10n.t('Wrong')),
        heading(l10n.t('Share of all')),
      ]),
    ]),
    element('tbody', {}, [
      row(l10n.t('Accepted'), true, accepted - acceptedWrong, acceptedWrong, percent(coverage)),
      row(l10n.t('None of these'), false, all - accepted - (wrong - acceptedWrong), wrong - acceptedWrong, percent(1 - coverage)), // prettier-ignore
    ]),
  ]);
}
