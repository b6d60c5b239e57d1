import { percent } from '../../charts/format.ts';
import type { SettingImportance, WhatMattered } from '../../charts/whatMattered.ts';
import { settingWords } from '../../protocol/differingSettings.ts';
import { plural } from '../../protocol/plural.ts';
import type { TrialStanding } from '../../protocol/sweepStandings.ts';
import { markdownTable, plainMarkdown } from './markdown.ts';

/** The trials of a sweep and what mattered, as Markdown. */
export function sweepMarkdown(name: string, standings: readonly TrialStanding[], mattered: WhatMattered): string {
  const settings = Object.keys(standings[0]?.settings ?? {});
  const header = ['Trial', 'Validation accuracy', 'Epochs', 'State', 'Run', ...settings.map(settingWords)];
  const rows = standings.map((standing) => [
    String(standing.trial),
    standing.accuracy === undefined ? '' : percent(standing.accuracy),
    standing.epochs === undefined ? '' : String(standing.epochs),
    standing.reason === undefined ? standing.state : `${standing.state}: ${standing.reason}`,
    standing.run ?? '',
    ...settings.map((setting) => valueText(standing.settings[setting])),
  ]);
  const importances = mattered.kind === 'found' ? mattered.settings : [];
  const parts = [
    `# ${plainMarkdown(name)}`,
    'Best first. The accuracy is the best on the validation images so far, by which the trials were chosen: test the one that you take on other images.',
    markdownTable(header, rows, header.length),
    '## What mattered',
    plainMarkdown(matteredSentence(mattered)),
    ...(importances.length > 0 ? [markdownTable(['Setting', 'Fall of R²'], importances.map(importanceCells))] : []),
  ];
  return parts.join('\n\n');
}

/** A setting and its importance. */
export function importanceCells({ setting, importance }: SettingImportance): [string, string] {
  return [settingWords(setting), importance.toFixed(3)];
}

/** `512`, `[512]`, `resnet18`. */
function valueText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Below so many, other trials may well give another order. */
const fewTrials = 50;

/** How many trials there are figures of, and what they mean. */
export function matteredSentence(mattered: WhatMattered): string {
  const { trials, epochs = 0 } = mattered;
  if (mattered.kind === 'too few')
    return `What mattered is told from ${plural(mattered.needed, 'trial')} with a score; there ${trials === 1 ? 'is 1' : `are ${trials}`}.`;
  const of = `${plural(trials, 'trial')} by their validation accuracy after ${plural(epochs, 'epoch')}`;
  if (mattered.kind === 'unexplained')
    return `What mattered cannot be told of ${of}: their settings do not predict it better than the mean does.`;
  return `What mattered, of ${of}: how far R² of a random forest falls if the values of a setting are shuffled (R² of trials that it did not see: ${mattered.explained.toFixed(2)}).${trials < fewTrials ? ' So few trials give a hint, no more.' : ''}`;
}
