import * as l10n from '@vscode/l10n';
import { calibration, type CalibrationBin } from '../../protocol/calibration.ts';
import { element } from '../components/element.ts';
import { images, percent } from '../../charts/format.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { whenChanged } from '../components/whenChanged.ts';
import { calibrateControls, type CalibrateOptions, type CalibrateState } from './calibrateControls.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

export type ReliabilitySection = {
  element: HTMLElement;
  /** `place` is the bar whose images are shown. */
  draw: (evaluation: ShownEvaluation, place: number | undefined, calibrating: CalibrateState) => void;
};

/** How often predictions of each confidence are right: a bar a bin, beside where it should end. */
export function reliabilitySection(onOpen: (place: number) => void, calibrating: CalibrateOptions): ReliabilitySection {
  const controls = calibrateControls(calibrating);
  const told = element('p', { class: 'hint' });
  const bars = element('div', { class: 'reliability', role: 'group', 'aria-label': l10n.t('Reliability diagram') });
  const section = element('section', { 'aria-label': l10n.t('Reliability') }, [
    element('h2', {}, [l10n.t('Reliability')]),
    controls.element,
    told,
    element('div', { class: 'reliability-plot' }, [
      element('span', { class: 'hint', 'aria-hidden': 'true' }, [l10n.t('Accuracy')]),
      bars,
      element('span', { class: 'hint', 'aria-hidden': 'true' }, [l10n.t('Confidence from 0 to 100 %')]),
    ]),
  ]);
  const draw = whenChanged((evaluation: ShownEvaluation, place: number | undefined) => {
    const { expectedError, bins } = calibration(evaluation.results);
    const { temperature } = evaluation;
    const error = l10n.t('Expected calibration error {0}.', percent(expectedError));
    const scaled =
      temperature === undefined
        ? l10n.t('The test was made without a temperature.')
        : l10n.t('Temperature {0}, fitted on {1}.', temperature.value.toFixed(2), images(temperature.images));
    const meaning = l10n.t('Bars show how often predictions are right, lines how confident they are.');
    told.replaceChildren(`${error} ${scaled} ${meaning}`);
    keepFocus(bars, () => bars.replaceChildren(...bins.map((bin, at) => bar(bin, at === place, () => onOpen(at)))));
  });
  return {
    element: section,
    draw: (evaluation, place, state) => {
      controls.draw(state);
      draw(evaluation, place);
    },
  };
}

function bar({ from, to, images: count, confidence, accuracy }: CalibrationBin, shown: boolean, onOpen: () => void) {
  if (count === 0) return element('span', { class: 'reliability-bar', 'aria-hidden': 'true' });
  const label = l10n.t(
    'Confidence {0} to {1}: {2}, mean confidence {3}, accuracy {4}',
    percent(from, 0),
    percent(to, 0),
    images(count),
    percent(confidence),
    percent(accuracy),
  );
  const filled = element('span', { class: 'reliability-fill' });
  filled.style.height = `${accuracy * 100}%`;
  const line = element('span', { class: 'reliability-line' });
  line.style.bottom = `${Math.min(1, confidence) * 100}%`;
  const attributes = { type: 'button', class: 'reliability-bar', title: label, 'aria-label': label };
  return element('button', { ...attributes, 'aria-pressed': shown, onclick: onOpen }, [filled, line]);
}
