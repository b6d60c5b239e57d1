import * as l10n from '@vscode/l10n';
import { compareScores } from '../../protocol/halving.ts';
import type { ShownTrial, SweepPanelToHost, SweepPanelToPage } from '../../protocol/sweepPanel.ts';
import { announcer } from '../components/announcer.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import type { KeptState } from '../components/host.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { setText } from '../components/setText.ts';
import { onThemeChange } from '../components/themeColors.ts';
import { button } from '../components/toolkit.ts';
import { axesOf, filtered } from './axes.ts';
import type { Known } from './known.ts';
import { matteredSection } from './matteredSection.ts';
import type { SweepPageState } from './pageState.ts';
import { mostLines, parallelCoordinates } from './parallelCoordinates.ts';
import { sweepHeader } from './sweepHeader.ts';
import { trialTable } from './trialTable.ts';
import { trialCount } from './trialTexts.ts';

export type SweepViewOptions = {
  root: HTMLElement;
  state: KeptState<SweepPageState>;
  send: (message: SweepPanelToHost) => void;
};

/** The page: built once; returns what takes the host's messages. */
export function sweepView({ root, state, send }: SweepViewOptions): (message: SweepPanelToPage) => void {
  let known: Known = { trials: [] };
  const header = sweepHeader(send);
  const mattered = matteredSection();
  const showRun = (run: string) => send({ type: 'show', runs: [run] });
  const filter = (filters: SweepPageState['filters']) => {
    state.change({ filters });
    refresh();
  };
  const chart = parallelCoordinates({
    filterOf: (axis) => state.value.filters[axis],
    onFilter: (axis, part) => {
      const { [axis]: before, ...others } = state.value.filters;
      if (part || before) filter(part ? { ...others, [axis]: part } : others);
    },
    onOpen: ({ run }) => {
      if (run !== undefined) showRun(run);
    },
  });
  const counts = element('p', { class: 'hint' });
  const clear = button({
    label: l10n.t('Clear filters'),
    onClick: () => {
      filter({});
      // The button goes; filters are set on the axes.
      chart.focus();
    },
  });
  const table = element('div', { class: 'scroll-x' });
  const spoken = announcer();
  const help = l10n.t(
    'Drag along an axis to filter by it; a click takes the filter away. With the keyboard, the arrow keys move the upper end of a filter, with Shift the lower end; Escape clears it.',
  );
  root.append(
    header.element,
    element('section', {}, [
      element('h2', {}, [l10n.t('Settings and results')]),
      element('p', { class: 'hint' }, [help]),
      chart.element,
      element('div', { class: 'toolbar' }, [counts, clear]),
      table,
    ]),
    mattered.element,
    spoken.element,
  );
  keepScroll({ kept: state.value.scroll, keep: (scroll) => state.change({ scroll }) });
  const draw = () => {
    const { head, trials } = known;
    const { filters, order } = state.value;
    header.draw(known);
    const dimensions = head?.dimensions ?? [];
    const axes = axesOf(dimensions, trials);
    const shown = filtered(trials, axes, filters);
    chart.draw(head ? axes : [], trials, filters);
    const isFiltered = Object.keys(filters).length > 0;
    setText(counts, countsText(trials, shown, isFiltered));
    clear.hidden = !isFiltered;
    if (isFiltered) spoken.say(l10n.t('{0} of {1} trials shown', shown.length, trials.length));
    const onSort = (next: SweepPageState['order']) => {
      state.change({ order: next });
      refresh();
    };
    keepFocus(table, () =>
      table.replaceChildren(trialTable({ dimensions, trials: shown, order, onSort, onShow: showRun })),
    );
    mattered.draw(known);
  };
  const refresh = everyFrame(draw);
  onThemeChange(refresh);
  refresh();
  return (message) => {
    known = after(known, message);
    refresh();
  };
}

function after(known: Known, message: SweepPanelToPage): Known {
  if (message.type === 'error') return { ...known, error: message.message };
  if (message.type === 'sweep') return { head: message, trials: known.trials };
  const trials = new Map(known.trials.map((trial) => [trial.trial, trial]));
  for (const trial of message.trials) trials.set(trial.trial, trial);
  return { ...known, trials: [...trials.values()].sort(bestFirst) };
}

function bestFirst(a: ShownTrial, b: ShownTrial): number {
  const rank = ({ accuracy = -1, loss = Infinity }: ShownTrial) => ({ accuracy, loss });
  return compareScores(rank(a), rank(b)) || a.trial - b.trial;
}

function countsText(trials: readonly ShownTrial[], shown: readonly ShownTrial[], isFiltered: boolean): string {
  const scored = trials.filter(({ accuracy }) => accuracy !== undefined).length;
  const drawn =
    scored > mostLines
      ? l10n.t('The best {0} of {1} with a result are drawn.', mostLines, trialCount(scored))
      : l10n.t('{0} with a result.', trialCount(scored));
  return isFiltered ? `${drawn} ${l10n.t('{0} of {1} trials shown', shown.length, trials.length)}.` : drawn;
}
