import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import { settingWords } from '../../protocol/differingSettings.ts';
import type { StoredSweep } from '../../runs/storedSweep.ts';
import { percent, table } from './formatRun.ts';
import { stateWord } from './stateWord.ts';

/** Trials that need no more training, unless they go on to the next rung. */
export function trialsDone({ standings }: Pick<StoredSweep, 'standings'>): number {
  return standings.filter(({ state }) => state !== 'waiting' && state !== 'begun').length;
}

/** What stands beside a sweep's name: `running · 92.3 % · 7 of 12 trials`. */
export function sweepDescription(sweep: StoredSweep): string {
  const [best] = sweep.standings;
  const accuracy = best?.accuracy === undefined ? [] : [percent(best.accuracy)];
  return [stateWord(sweep.state), ...accuracy, l10n.t('{0} of {1} trials', trialsDone(sweep), sweep.total)].join(' · ');
}

/** Markdown for the tooltip of a sweep. */
export function sweepTooltip(sweep: StoredSweep): string {
  const { folder, record, standings, dimensions, state } = sweep;
  const [best] = standings;
  const { data } = record.space;
  const settings = Object.entries(best?.settings ?? {}).map(
    ([setting, value]) => `${settingWords(setting)} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return table(l10n.t('Sweep {0}', basename(folder)), [
    [l10n.t('State'), stateWord(state)],
    [l10n.t('Data'), typeof data === 'string' ? data : undefined],
    [l10n.t('Varies'), dimensions.map(({ setting }) => settingWords(setting)).join(', ')],
    [l10n.t('Trials'), l10n.t('{0} of {1}', trialsDone(sweep), sweep.total)],
    [
      l10n.t('Best on validation images'),
      best?.accuracy === undefined ? undefined : `${percent(best.accuracy)}: ${settings.join(', ')}`,
    ],
    [l10n.t('Started'), new Date(record.created).toLocaleString()],
    [l10n.t('Folder'), folder],
  ]);
}
