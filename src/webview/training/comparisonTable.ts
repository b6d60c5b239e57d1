import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { count, duration, percent, short } from '../../charts/format.ts';
import { replaceIfNew } from '../components/replaceIfNew.ts';
import { themeColors } from '../components/themeColors.ts';
import { differingSettings, settingWords } from '../../protocol/differingSettings.ts';
import { bestValidation, trainedSeconds } from '../../charts/runCurves.ts';
import { stateWord } from './runState.ts';
import type { PageRun } from './shownRun.ts';
import { runSample } from './valuesTable.ts';

export type ComparisonSection = { element: HTMLElement; show: (runs: readonly PageRun[]) => void };

/** What the shown runs came to and how their settings differ, if they are several. */
export function comparisonSection(): ComparisonSection {
  const place = element('div');
  const section = element('section', { 'aria-label': l10n.t('Comparison') }, [
    element('h2', {}, [l10n.t('Comparison')]),
    place,
  ]);
  return {
    element: section,
    show: (runs) => {
      section.hidden = runs.length < 2;
      if (runs.length >= 2) replaceIfNew(place, comparisonTable(runs, themeColors().curves));
    },
  };
}

/** A column per run: its results, and of its settings those that differ. */
function comparisonTable(runs: readonly PageRun[], colors: readonly string[]): HTMLElement {
  const settings = differingSettings(runs.map(({ record }) => record));
  const best = Math.max(...runs.map((run) => bestAccuracy(run) ?? -Infinity));
  const rows: [string, (string | HTMLElement)[]][] = [
    [l10n.t('State'), runs.map(stateWord)],
    [l10n.t('Best validation accuracy'), runs.map((run) => bestCell(bestAccuracy(run), best, runs.length))],
    [l10n.t('Validation loss at best accuracy'), runs.map((run) => optional(bestLoss(run), short))],
    [l10n.t('Steps'), runs.map(({ curves }) => optional(curves.lastStep?.step, count))],
    [l10n.t('Time trained'), runs.map(({ curves }) => duration(trainedSeconds(curves)))],
  ];
  return element('div', { class: 'scroll-x' }, [
    element('table', { class: 'table comparison' }, [
      element('caption', { class: 'spoken' }, [l10n.t('Results of the runs, and the settings that differ')]),
      element('thead', {}, [
        element('tr', {}, [
          element('th', { scope: 'col' }, [element('span', { class: 'spoken' }, [l10n.t('Result or setting')])]),
          ...runs.map(({ title, style }) =>
            element('th', { scope: 'col' }, [
              element('span', { class: 'run-name' }, [runSample(style, colors), title]),
            ]),
          ),
        ]),
      ]),
      body(l10n.t('Results'), rows),
      settings.length === 0
        ? undefined
        : body(
            l10n.t('Settings that differ'),
            settings.map(({ setting, values }) => [capitalized(settingWords(setting)), values]),
          ),
    ]),
    runs.length > 1 && settings.length === 0
      ? element('p', { class: 'hint' }, [l10n.t('All settings are the same.')])
      : undefined,
  ]);
}

function body(title: string, rows: readonly [string, readonly (string | HTMLElement)[]][]): HTMLElement {
  const columns = rows[0]?.[1].length ?? 0;
  return element('tbody', {}, [
    element('tr', { class: 'group' }, [element('th', { colspan: columns + 1, scope: 'rowgroup' }, [title])]),
    ...rows.map(([name, values]) =>
      element('tr', {}, [
        element('th', { scope: 'row' }, [name]),
        ...values.map((value) => element('td', {}, [value])),
      ]),
    ),
  ]);
}

function bestCell(accuracy: number | undefined, best: number, runs: number): string | HTMLElement {
  if (accuracy === undefined) return '–';
  return runs > 1 && accuracy === best ? element('strong', {}, [`★ ${percent(accuracy)}`]) : percent(accuracy);
}

function bestAccuracy({ curves }: PageRun): number | undefined {
  const best = bestValidation(curves);
  return best === undefined ? undefined : curves.validations.values('validAccuracy')[best];
}

function bestLoss({ curves }: PageRun): number | undefined {
  const best = bestValidation(curves);
  return best === undefined ? undefined : curves.validations.values('validLoss')[best];
}

function capitalized(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function optional(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '–' : format(value);
}
