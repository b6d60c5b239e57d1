import * as l10n from '@vscode/l10n';
import { percent } from '../../charts/format.ts';
import { settingWords } from '../../protocol/differingSettings.ts';
import type { Dimension } from '../../protocol/sweep.ts';
import type { ShownTrial } from '../../protocol/sweepPanel.ts';
import { type Child, element } from '../components/element.ts';
import { type Column, type SortOrder, sortableTable } from '../components/sortableTable.ts';
import { stateText } from './trialTexts.ts';
import { valueText } from './valueText.ts';

export type TrialTableOptions = {
  dimensions: readonly Dimension[];
  trials: readonly ShownTrial[];
  order: SortOrder;
  onSort: (order: SortOrder) => void;
  onShow: (run: string) => void;
};

/** Rows that are built at first. */
const firstRows = 100;

/** Trials with their results and the settings that vary; the name of a run opens it. */
export function trialTable({ dimensions, trials, order, onSort, onShow }: TrialTableOptions): HTMLElement {
  const columns: Column<ShownTrial>[] = [
    { title: l10n.t('Trial'), numeric: true, cell: ({ trial }) => String(trial), value: ({ trial }) => trial },
    {
      title: l10n.t('Validation accuracy'),
      numeric: true,
      cell: ({ accuracy }) => (accuracy === undefined ? '–' : percent(accuracy)),
      // Equal accuracies are ranked by their loss, as the sweep does.
      value: ({ accuracy = -1, loss = 0 }) => accuracy - loss * 1e-12,
    },
    {
      title: l10n.t('After epochs'),
      numeric: true,
      cell: ({ epochs }) => (epochs === undefined ? '–' : String(epochs)),
      value: ({ epochs = -1 }) => epochs,
    },
    { title: l10n.t('State'), cell: stateCell, value: stateText },
    {
      title: l10n.t('Run'),
      cell: ({ run }) =>
        run === undefined
          ? '–'
          : element('button', { type: 'button', class: 'link run', onclick: () => onShow(run) }, [run]),
      value: ({ run = '' }) => run,
    },
    ...dimensions.map((dimension): Column<ShownTrial> => {
      const { setting } = dimension;
      return {
        title: settingWords(setting),
        numeric: isNumeric(dimension),
        cell: ({ settings }) => valueText(settings[setting]),
        value: ({ settings }) => {
          const value = settings[setting];
          return typeof value === 'number' ? value : valueText(value);
        },
      };
    }),
  ];
  return sortableTable({ caption: l10n.t('Trials'), columns, rows: trials, limit: firstRows, order, onSort });
}

/** A reason has room for some words in a line, however narrow the page is. */
function stateCell(trial: ShownTrial): Child {
  return trial.reason === undefined ? stateText(trial) : element('span', { class: 'reason' }, [stateText(trial)]);
}

function isNumeric(dimension: Dimension): boolean {
  return !('values' in dimension) || dimension.values.every((value) => typeof value === 'number');
}
