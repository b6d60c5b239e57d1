import * as l10n from '@vscode/l10n';
import { percent } from '../../charts/format.ts';
import { settingWords } from '../../protocol/differingSettings.ts';
import type { ShownTrial } from '../../protocol/sweepPanel.ts';
import { valueText } from './valueText.ts';

const states: Readonly<Record<ShownTrial['state'], string>> = {
  waiting: l10n.t('waiting'),
  begun: l10n.t('training'),
  behind: l10n.t('fell behind'),
  finished: l10n.t('finished'),
  failed: l10n.t('failed'),
};

/** What has become of a trial: `finished`, `training, epoch 2.4`, `failed: …`. */
export function stateText({ state, progress, reason }: ShownTrial): string {
  if (reason !== undefined) return `${states[state]}: ${reason}`;
  if (progress === undefined) return states[state];
  return l10n.t('{0}, epoch {1}', states[state], Number(progress.toFixed(1)));
}

/** A trial in a line: `Trial 7: 91.2 % after 9 epochs; learning rate 0.0012, hidden 512`. */
export function trialText(trial: ShownTrial): string {
  const settings = Object.entries(trial.settings)
    .map(([setting, value]) => `${settingWords(setting)} ${valueText(value)}`)
    .join(', ');
  if (trial.accuracy === undefined) return l10n.t('Trial {0}: {1}; {2}', trial.trial, stateText(trial), settings);
  return trial.epochs === 1
    ? l10n.t('Trial {0}: {1} after 1 epoch; {2}', trial.trial, percent(trial.accuracy), settings)
    : l10n.t('Trial {0}: {1} after {2} epochs; {3}', trial.trial, percent(trial.accuracy), trial.epochs ?? 0, settings);
}

/** `1 trial`, `12 trials`. */
export function trialCount(count: number): string {
  return count === 1 ? l10n.t('1 trial') : l10n.t('{0} trials', count);
}
