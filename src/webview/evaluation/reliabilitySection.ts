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

const ticks = [0, 0.25, 0.5, 0.75, 1];

/** How often predictions of each confidence are right: a bar a bin, beside where it should end. */
export function reliabilitySection(onOpen: (place: number) => void, calibrating: CalibrateOptions): ReliabilitySection {
  const controls = calibrateControls(calibrating);
  const told = element('p', { class: 'hint' });
  const bars = element('div', { class: 'reliability', role: 'group', 'aria-label': l10n.t('Reliability diagram') });
  const section = element('section', { 'aria-label': l10n.t('Reliability') }, [
    element('h2', {}, [l10n.t('Reliability')]),
    controls.element,
    told,
    // What the axes say, each bar says too.
    element('div', { class: 'reliability-plot' }, [
      element('span', { class: 'reliability-title', 'aria-hidden': 'true' }, [l10n.t('Accuracy')]),
      axis('bottom'),
      element('div', { class: 'reliability-area' }, [...ticks.map(gridLine), bars]),
      axis('left'),
      element('span', { class: 'reliability-title', 'aria-hidden': 'true' }, [l10n.t('Confidence')]),
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
    const meaning = l10n.t('Each bar is of the images whose confidence lies in its range, of {0} in all. Its height is the share of them that is predicted right (accuracy), the line across it their mean confidence: where the bar should end. Choose a bar to see its images.', images(evaluation.results.length)); // prettier-ignore
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

/** Labels along an edge, from 0 to 100 %. */
function axis(edge: 'left' | 'bottom'): HTMLElement {
  const label = (share: number): HTMLElement => {
    const tick = element('span', {}, [percent(share, 0)]);
    tick.style[edge] = `${share * 100}%`;
    return tick;
  };
  return element('div', { class: `reliability-axis ${edge}`, 'aria-hidden': 'true' }, ticks.map(label));
}

function gridLine(share: number): HTMLElement {
  const line = element('span', { class: 'reliability-grid', 'aria-hidden': 'true' });
  line.style.bottom = `${share * 100}%`;
  return line;
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
