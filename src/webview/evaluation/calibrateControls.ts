import * as l10n from '@vscode/l10n';
import { images, percent } from '../../charts/format.ts';
import type { ConfidenceCalibration } from '../../protocol/confidenceCalibration.ts';
import { element } from '../components/element.ts';
import { setText } from '../components/setText.ts';
import { button, dropdown, labelled, setDisabled } from '../components/toolkit.ts';
import { noTarget, targetErrors } from './targetErrors.ts';

export type CalibrateState = {
  /** What the checkpoint keeps. */
  calibration: ConfidenceCalibration | undefined;
  /** The share of errors for which a threshold is chosen; that which is kept, or none, without it. */
  targetError: number | undefined;
  canCalibrate: boolean;
};

export type CalibrateOptions = {
  onCalibrate: (targetError: number | undefined) => void;
  onRemove: () => void;
  onTarget: (targetError: number | undefined) => void;
};

export type CalibrateControls = { element: HTMLElement; draw: (state: CalibrateState) => void };

/** The buttons that fit a temperature and remove it, and what the checkpoint keeps of it. */
export function calibrateControls({ onCalibrate, onRemove, onTarget }: CalibrateOptions): CalibrateControls {
  let chosen: number | undefined;
  const calibrate = button({
    label: l10n.t('Calibrate'),
    title: l10n.t('Fit a temperature on the run’s validation images, keep it in the checkpoint, and test again'),
    onClick: () => onCalibrate(chosen),
  });
  const remove = button({
    label: l10n.t('Remove calibration'),
    title: l10n.t('Take the temperature and the threshold out of the checkpoint, and test again'),
    onClick: onRemove,
  });
  const label = l10n.t('“None of these” for an error of');
  const target = dropdown(label, (value) => onTarget(value === noTarget ? undefined : Number(value)));
  const kept = element('p', { class: 'hint' });
  return {
    element: element('div', {}, [element('div', { class: 'toolbar' }, [calibrate, labelled(label, target.element), remove]), kept]), // prettier-ignore
    draw: ({ calibration, targetError, canCalibrate }) => {
      chosen = targetError ?? calibration?.rejection?.targetError;
      setDisabled(calibrate, !canCalibrate);
      remove.hidden = calibration === undefined;
      setDisabled(remove, !canCalibrate);
      const errors = [...new Set([...targetErrors, ...(chosen === undefined ? [] : [chosen])])].sort((a, b) => a - b);
      target.update(
        [{ value: noTarget, label: '–' }, ...errors.map((each) => ({ value: String(each), label: percent(each) }))],
        chosen === undefined ? noTarget : String(chosen),
      );
      setText(kept, keptText(calibration));
    },
  };
}

function keptText(calibration: ConfidenceCalibration | undefined): string {
  if (!calibration) return l10n.t('The checkpoint keeps no temperature. Calibrate makes its confidence say how often it is right.'); // prettier-ignore
  const { temperature, images: number, rejection } = calibration;
  const five = temperature[5];
  const fitted =
    five === undefined
      ? l10n.t('The checkpoint keeps the temperature {0}, fitted on {1}.', temperature[1].toFixed(2), images(number))
      : l10n.t('The checkpoint keeps the temperatures {0} for one crop and {1} for five, fitted on {2}.', temperature[1].toFixed(2), five.toFixed(2), images(number)); // prettier-ignore
  if (!rejection) return fitted;
  const { targetError, threshold } = rejection;
  const told = (value: number | undefined) => (value === undefined ? l10n.t('none') : percent(value));
  const thresholds =
    five === undefined
      ? l10n.t('Confidence from which an answer is accepted, for an error of {0}: {1}.', percent(targetError), told(threshold[1])) // prettier-ignore
      : l10n.t('Confidence from which an answer is accepted, for an error of {0}: {1} by one crop, {2} by five.', percent(targetError), told(threshold[1]), told(threshold[5])); // prettier-ignore
  return `${fitted} ${thresholds}`;
}
