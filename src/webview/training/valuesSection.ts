import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import type { KeptState } from '../components/host.ts';
import { themeColors } from '../components/themeColors.ts';
import { dropdown } from '../components/toolkit.ts';
import type { TrainingPageState } from './pageState.ts';
import type { RunCollection } from './runCollection.ts';
import { hasTopFive } from '../../charts/runCharts.ts';
import { valuesTable, type ValuesTable } from './valuesTable.ts';

export type ValuesSectionOptions = {
  state: KeptState<TrainingPageState>;
  runs: RunCollection;
  /** Shows these runs, the first in focus. */
  show: (folders: readonly string[]) => void;
  redraw: () => void;
};

export type ValuesSection = {
  element: HTMLElement;
  draw: () => void;
  /** Writes the values at a place of the x axis, the last ones without it. */
  read: (place: number | undefined) => void;
};

/** The table of the shown runs, and the list of those that could be shown with them. */
export function valuesSection({ state, runs, show, redraw }: ValuesSectionOptions): ValuesSection {
  const folders = () => runs.shown.map(({ folder }) => folder);
  const place = element('div');
  const add = dropdown(l10n.t('Add a run to the comparison'), (folder) => show([...folders(), folder]));
  let shown: { table: ValuesTable; key: string } | undefined;
  let hovered: number | undefined;

  const toggle = (folder: string): void => {
    const others = state.value.hidden.filter((other) => other !== folder);
    state.change({ hidden: others.length < state.value.hidden.length ? others : [...others, folder] });
    redraw();
  };
  const build = (): ValuesTable =>
    valuesTable({
      runs: runs.shown,
      colors: themeColors().curves,
      hidden: new Set(state.value.hidden),
      choices: state.value,
      onToggle: toggle,
      onFocus: (folder) => show([folder, ...folders().filter((other) => other !== folder)]),
      onRemove: (folder) => show(folders().filter((other) => other !== folder)),
    });
  const draw = (): void => {
    const { hidden, axis, smoothing } = state.value;
    const rows = runs.shown.map((run) => [run.folder, run.title, run.style, hasTopFive(run)]);
    const key = JSON.stringify([rows, hidden, axis, smoothing, themeColors().curves]);
    if (shown?.key !== key) {
      shown = { table: build(), key };
      place.replaceChildren(shown.table.element);
    }
    shown.table.read(runs.shown, hovered);
    add.element.hidden = runs.others.length === 0;
    const choices = runs.others.map(({ folder, name }) => ({ value: folder, label: name }));
    add.update([{ value: '', label: l10n.t('Compare with…') }, ...choices], '');
  };
  return {
    element: element('section', { class: 'values-section', 'aria-label': l10n.t('Values') }, [place, add.element]),
    draw,
    read: (at) => {
      hovered = at;
      shown?.table.read(runs.shown, at);
    },
  };
}
