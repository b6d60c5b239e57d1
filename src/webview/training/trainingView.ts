import * as l10n from '@vscode/l10n';
import { runRequests, type RunAction, type TrainingPanelToHost } from '../../protocol/trainingPanel.ts';
import { announcer } from '../components/announcer.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import type { KeptState } from '../components/host.ts';
import type { Pictures } from '../components/pictures.ts';
import { replaceIfNew } from '../components/replaceIfNew.ts';
import { comparisonSection } from './comparisonTable.ts';
import { curvesSection } from './curvesSection.ts';
import { logView } from './logView.ts';
import type { TrainingPageState } from './pageState.ts';
import { pinnedSection } from './pinnedPredictions.ts';
import type { RunCollection } from './runCollection.ts';
import { runControls } from './runControls.ts';
import { runNumbers } from './runNumbers.ts';
import { stateWord } from './runState.ts';
import type { PageRun } from './shownRun.ts';
import { testsSection, type TestsMessage } from './testsSection.ts';
import { valuesSection } from './valuesSection.ts';
import { setText } from '../components/setText.ts';

export type TrainingViewOptions = {
  root: HTMLElement;
  runs: RunCollection;
  state: KeptState<TrainingPageState>;
  pictures: Pictures;
  send: (message: TrainingPanelToHost) => void;
};

export type TrainingView = {
  refresh: () => void;
  restyle: () => void;
  /** Takes what the host says of a comparison. */
  compared: (message: TestsMessage) => void;
};

/** The page: built once; a refresh draws what is new in the next frame. */
export function trainingView({ root, runs, state, pictures, send }: TrainingViewOptions): TrainingView {
  const act = (action: RunAction, { folder }: PageRun): void => {
    const request = runRequests.find((each) => each === action);
    // The host says the same as soon as it knows; nobody should have to wait for that.
    if (request !== undefined) runs.ask(folder, request);
    send({ type: action, folder });
    drawNow();
  };
  const show = (folders: readonly string[]) => send({ type: 'show', folders: [...folders] });

  const spoken = announcer();
  const controls = runControls(act);
  const numbers = element('section', { class: 'side', 'aria-label': l10n.t('Numbers') });
  const values = valuesSection({ state, runs, show, redraw: () => refresh() });
  let hovered: number | undefined;
  const readOut = everyFrame(() => values.read(hovered));
  const curves = curvesSection({
    state,
    runs: () => runs.shown.filter(({ folder }) => !state.value.hidden.includes(folder)),
    redraw: () => refresh(),
    onHover: (place) => {
      hovered = place;
      readOut();
    },
    onExported: (message) => send({ type: 'export', name: exportName(runs.shown), ...message }),
  });
  const pinned = pinnedSection(pictures, (path) => send({ type: 'open', path }));
  const comparison = comparisonSection();
  const tests = testsSection({ state, pictures, send, redraw: () => refresh() });
  const log = logView();
  const main = element('main', {}, [
    controls.element,
    element('div', { class: 'columns' }, [curves.element, numbers]),
    ...[values, pinned, comparison, tests, log].map((section) => section.element),
  ]);
  const empty = element('p', { class: 'empty', role: 'status' });
  root.append(spoken.element, empty, main);

  const drawNow = (): void => {
    const [focus] = runs.shown;
    empty.hidden = focus !== undefined;
    main.hidden = focus === undefined;
    setText(
      empty,
      runs.listed
        ? l10n.t('This run is gone. The Checkpoints view lists the remaining ones.')
        : l10n.t('Waiting for the run…'),
    );
    if (focus === undefined) return;
    spoken.say(`${focus.title}: ${stateWord(focus)}`);
    controls.show(focus);
    replaceIfNew(numbers, runNumbers(focus));
    curves.draw();
    values.draw();
    pinned.show(focus);
    comparison.show(runs.shown);
    tests.show(runs.shown);
    log.show(focus.folder, focus.curves);
  };
  const refresh = everyFrame(drawNow);
  return {
    refresh,
    compared: (message) => {
      tests.receive(message);
      refresh();
    },
    restyle: () => {
      curves.restyle();
      refresh();
    },
  };
}

const longestName = 80;

/** What a file of the runs' curves is called. */
function exportName(runs: readonly PageRun[]): string {
  return runs
    .map(({ title }) => title)
    .join('+')
    .slice(0, longestName);
}
