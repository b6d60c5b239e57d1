import * as l10n from '@vscode/l10n';
import { splitNames } from '../../protocol/dataReport.ts';
import { reportFormats, type ReportFormat } from '../../protocol/comparisonReport.ts';
import type { ComparisonResult, TrainingPanelToHost, TrainingPanelToPage } from '../../protocol/trainingPanel.ts';
import { busyLine } from '../components/busyLine.ts';
import { element } from '../components/element.ts';
import type { KeptState } from '../components/host.ts';
import { keepFocus } from '../components/keepFocus.ts';
import type { Pictures } from '../components/pictures.ts';
import { setText } from '../components/setText.ts';
import { button, dropdown, labelled, setDisabled } from '../components/toolkit.ts';
import { comparedTests } from './comparedTests.ts';
import type { TrainingPageState } from './pageState.ts';
import type { PageRun } from './shownRun.ts';

type Message<Type extends TrainingPanelToPage['type']> = Extract<TrainingPanelToPage, { type: Type }>;
export type TestsMessage = Message<'comparison' | 'progress' | 'error'>;
type Choices = TrainingPageState['tests'];

export type TestsSectionOptions = {
  state: KeptState<TrainingPageState>;
  pictures: Pictures;
  send: (message: TrainingPanelToHost) => void;
  /** Asks for the page to be drawn, as choices have changed. */
  redraw: () => void;
};

export type TestsSection = {
  element: HTMLElement;
  show: (runs: readonly PageRun[]) => void;
  receive: (message: TestsMessage) => void;
};

/** Which of the shown runs is right where others are wrong, on the same images; only if they are several. */
export function testsSection({ state, pictures, send, redraw }: TestsSectionOptions): TestsSection {
  let folders: readonly string[] = [];
  let answer: Message<'comparison'> | undefined;
  let progress: Message<'progress'> | undefined;
  let problem: string | undefined;
  let drawn = '';

  const ask = (test: boolean, common = false): void => {
    if (folders.length < 2) return;
    problem = undefined;
    send({ type: 'compare', wish: { folders: [...folders], ...state.value.tests, common, test } });
  };
  const change = (part: Partial<Choices>): void => {
    state.change({ tests: { ...state.value.tests, ...part }, disputed: undefined });
    ask(false);
    redraw();
  };
  const tools = testsToolbar(change, (format) => send({ type: 'exportComparison', format }));
  const busy = busyLine(() => send({ type: 'cancel' }));
  const error = element('p', { class: 'notice error', role: 'alert' });
  const content = element('div', { class: 'compared' });
  const section = element('section', { 'aria-label': l10n.t('Test of the same images') }, [
    element('h2', {}, [l10n.t('Test of the same images')]),
    ...[tools.element, busy.element, error, content],
  ]);
  const keep = (part: Partial<TrainingPageState>): void => {
    state.change(part);
    redraw();
  };
  const draw = (): void => {
    const isBusy = progress?.busy === true;
    busy.draw(progress);
    error.hidden = problem === undefined;
    setText(error, problem ?? '');
    const result =
      answer && JSON.stringify(answer.wish.folders) === JSON.stringify(folders) ? answer.result : undefined;
    tools.draw(state.value.tests, result?.kind === 'compared');
    const { disputed, comparedOrder } = state.value;
    const look = JSON.stringify([result, isBusy, disputed, comparedOrder]);
    if (look === drawn) return;
    drawn = look;
    const parts =
      result?.kind === 'compared'
        ? comparedTests(result.comparison, {
            ...{ disputed, order: comparedOrder, pictures },
            onSort: (order) => keep({ comparedOrder: order }),
            onDisputed: (chosen) => keep({ disputed: chosen }),
            onOpen: (image) => send({ type: 'open', path: image }),
            onReveal: (image) => send({ type: 'reveal', image }),
          })
        : withoutComparison(result, isBusy, ask);
    keepFocus(content, () => content.replaceChildren(...parts));
  };
  return {
    element: section,
    show: (runs) => {
      section.hidden = runs.length < 2;
      const next = runs.map(({ folder }) => folder);
      const isNew = JSON.stringify(next) !== JSON.stringify(folders);
      folders = next;
      if (isNew) ask(false);
      if (!section.hidden) draw();
    },
    receive: (message) => {
      if (message.type === 'comparison') answer = message;
      else if (message.type === 'progress') progress = message;
      else problem = message.message;
    },
  };
}

const splitTitles = {
  test: l10n.t('Test images'),
  valid: l10n.t('Validation images'),
  train: l10n.t('Training images'),
};
const formatLabels: Record<ReportFormat, string> = { markdown: 'Markdown', csv: 'CSV', json: 'JSON' };

function testsToolbar(onChange: (part: Partial<Choices>) => void, onExport: (format: ReportFormat) => void) {
  const split = dropdown(l10n.t('Images'), (value) => {
    const chosen = splitNames.find((name) => name === value);
    if (chosen) onChange({ split: chosen });
  });
  const crops = dropdown(l10n.t('Crops'), (value) => onChange({ crops: value === '1' ? 1 : 5 }));
  const exports = element('span', { class: 'exports' }, reportFormats.map((format) => button({ label: formatLabels[format], title: l10n.t('Export the comparison as {0}', formatLabels[format]), onClick: () => onExport(format) }))); // prettier-ignore
  return {
    element: element('div', { class: 'toolbar' }, [
      labelled(l10n.t('Images'), split.element),
      labelled(l10n.t('Crops'), crops.element),
      exports,
    ]),
    draw: (chosen: Choices, canExport: boolean): void => {
      const splits = (['test', 'valid', 'train'] as const).map((value) => ({ value, label: splitTitles[value] }));
      split.update(splits, chosen.split);
      crops.update(
        [
          { value: '1', label: l10n.t('Center crop') },
          { value: '5', label: l10n.t('Five crops') },
        ],
        String(chosen.crops),
      );
      for (const each of exports.children) if (each instanceof HTMLElement) setDisabled(each, !canExport);
    },
  };
}

/** What there is to say and do before there is a comparison. */
function withoutComparison(
  result: Exclude<ComparisonResult, { kind: 'compared' }> | undefined,
  isBusy: boolean,
  ask: (test: boolean, common?: boolean) => void,
): HTMLElement[] {
  if (result === undefined) return [];
  const hint = (text: string) => element('p', { class: 'hint' }, [text]);
  const action = (label: string, onClick: () => void): HTMLElement => {
    const made = button({ label, primary: true, onClick });
    setDisabled(made, isBusy);
    return made;
  };
  switch (result.kind) {
    case 'untested':
      return [
        hint(l10n.t('Not tested yet as they are now: {0}.', result.names.join(', '))),
        action(l10n.t('Test and compare'), () => ask(true)),
      ];
    case 'different':
      return [
        element('p', { class: 'note' }, [result.reason]),
        ...(result.common === 0
          ? []
          : [action(result.common === 1 ? l10n.t('Compare on the 1 common image') : l10n.t('Compare on the {0} common images', result.common), () => ask(false, true))]), // prettier-ignore
      ];
    case 'refused':
      return [element('p', { class: 'note' }, [result.reason])];
  }
}
