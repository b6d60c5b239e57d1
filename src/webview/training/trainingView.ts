import type { TrainingPanelToHost } from '../../protocol/trainingPanel.ts';
import { announcer } from '../components/announcer.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import type { KeptState } from '../components/host.ts';
import type { Pictures } from '../components/pictures.ts';
import { themeColors } from '../components/themeColors.ts';
import { button, checkbox, dropdown } from '../components/toolkit.ts';
import { createChart } from './chart.ts';
import { comparisonTable } from './comparisonTable.ts';
import type { ChartKind } from './curve.ts';
import type { Range } from './downsample.ts';
import { exportCharts, type ExportFormat, type Picture } from './exportCharts.ts';
import { legendTable, type LegendTable } from './legendTable.ts';
import { logView } from './logView.ts';
import type { TrainingPageState } from './pageState.ts';
import { pinnedPredictions } from './pinnedPredictions.ts';
import type { RunCollection } from './runCollection.ts';
import { runControls } from './runControls.ts';
import { epochEnds, isThinned } from './runCurves.ts';
import { accuracyCurves, lossCurves } from './runCurvesDrawn.ts';
import { runNumbers } from './runNumbers.ts';
import { stateWord } from './runState.ts';
import type { PageRun } from './shownRun.ts';
import { smoothingSlider } from './smoothingSlider.ts';

export type TrainingViewOptions = {
  root: HTMLElement;
  runs: RunCollection;
  state: KeptState<TrainingPageState>;
  pictures: Pictures;
  send: (message: TrainingPanelToHost) => void;
};

export type TrainingView = { refresh: () => void; restyle: () => void };

/** The page: built once; a refresh draws what is new in the next frame. */
export function trainingView({ root, runs, state, pictures, send }: TrainingViewOptions): TrainingView {
  let hovered: number | undefined;
  let colors = themeColors();
  let legend: { table: LegendTable; key: string } | undefined;

  const spoken = announcer();
  const show = (folders: readonly string[]) => send({ type: 'show', folders: [...folders] });
  const folders = () => runs.shown.map(({ folder }) => folder);
  const controls = runControls(
    (action, folder) => send({ type: action, folder }),
    (path) => send({ type: 'open', path }),
  );
  const numbers = element('section', { class: 'side', 'aria-label': 'Numbers' });
  const onZoom = (zoom: Range | undefined): void => {
    state.change({ zoom: zoom === undefined ? undefined : within(zoom, wholeRange(runs.shown)) });
    refresh();
  };
  const onHover = (step: number | undefined): void => {
    hovered = step === undefined ? undefined : Math.round(step);
    readOut();
  };
  const loss = createChart({ shape: 0.32, onZoom, onHover });
  const accuracy = createChart({ shape: 0.2, onZoom, onHover });
  const legendPlace = element('div', { class: 'scroll-x' });
  const comparison = element('section', { class: 'comparison-section', 'aria-label': 'Comparison' });
  const pinned = element('section', { class: 'pinned-section', 'aria-label': 'Pinned images' });
  const log = logView();
  const add = dropdown('Add a run to the comparison', (folder) => show([...folders(), folder]));
  const resetZoom = button({
    label: 'Show all steps',
    title: 'Leave the zoom (double click, Escape)',
    onClick: () => onZoom(undefined),
  });
  const toolbar = element('div', { class: 'toolbar' }, [
    smoothingSlider(state.value.smoothing, (smoothing) => {
      state.change({ smoothing });
      refresh();
    }),
    checkbox({
      label: 'Logarithmic loss',
      checked: state.value.logScale,
      onChange: (logScale) => {
        state.change({ logScale });
        refresh();
      },
    }),
    resetZoom,
    element(
      'span',
      { class: 'buttons' },
      (['png', 'svg', 'csv'] as const).map((format) =>
        button({
          label: format.toUpperCase(),
          title: `Export the curves as ${format.toUpperCase()}`,
          onClick: () => void exportAs(format),
        }),
      ),
    ),
    add.element,
  ]);
  const main = element('main', {}, [
    controls.element,
    element('div', { class: 'columns' }, [
      element('section', { class: 'curves', 'aria-label': 'Curves' }, [
        toolbar,
        element('h2', {}, ['Loss ', element('small', {}, ['line: training, marks: validation'])]),
        loss.element,
        element('h2', {}, ['Validation accuracy ', element('small', {}, ['thin: top-5'])]),
        accuracy.element,
        legendPlace,
      ]),
      numbers,
    ]),
    pinned,
    comparison,
    element('section', { 'aria-label': 'Log' }, [element('h2', {}, ['Log']), log.element]),
  ]);
  const empty = element('p', { class: 'empty', role: 'status' });
  root.append(spoken.element, empty, main);

  const visible = () => runs.shown.filter(({ folder }) => !state.value.hidden.includes(folder));
  const range = () => state.value.zoom ?? wholeRange(visible());
  const picture = (): Picture => ({
    charts: [
      { kind: lossKind(state.value.logScale), curves: lossCurves(visible(), state.value.smoothing, colors.curves) },
      { kind: accuracyKind, curves: accuracyCurves(visible(), colors.curves) },
    ],
    legend: visible().map(({ record, style }) => ({
      label: record.name,
      color: colors.curves[style.color] ?? colors.foreground,
      dash: style.dash,
    })),
    range: range(),
    marks: runs.shown[0] === undefined ? [] : epochEnds(runs.shown[0].curves, range()),
    colors,
  });
  const exportAs = async (format: ExportFormat): Promise<void> => {
    const name = runs.shown
      .map(({ record }) => record.name)
      .join('+')
      .slice(0, 80);
    const thinned = format === 'csv' && visible().some(({ curves }) => isThinned(curves));
    send({ type: 'export', format, name, thinned, content: await exportCharts(format, visible(), picture()) });
  };

  const drawCharts = (): void => {
    const { charts, marks } = picture();
    [loss, accuracy].forEach((chart, index) => {
      const content = charts[index];
      if (content !== undefined) chart.show({ ...content, marks, range: range() });
    });
    resetZoom.hidden = state.value.zoom === undefined;
  };
  const drawLegend = (): void => {
    const hidden = new Set(state.value.hidden);
    const key = JSON.stringify([
      runs.shown.map(({ folder, record, style }) => [folder, record.name, style]),
      [...hidden],
      colors,
    ]);
    if (legend?.key !== key) {
      const table = legendTable({
        runs: runs.shown,
        colors: colors.curves,
        hidden,
        onToggle: (folder) => {
          const others = state.value.hidden.filter((other) => other !== folder);
          state.change({ hidden: hidden.has(folder) ? others : [...others, folder] });
          refresh();
        },
        onFocus: (folder) => show([folder, ...folders().filter((other) => other !== folder)]),
        onRemove: (folder) => show(folders().filter((other) => other !== folder)),
      });
      legend = { table, key };
      legendPlace.replaceChildren(table.element);
    }
    legend.table.read({ runs: runs.shown, step: hovered, weight: state.value.smoothing });
  };
  const readOut = everyFrame(() => {
    if (legend !== undefined) legend.table.read({ runs: runs.shown, step: hovered, weight: state.value.smoothing });
  });

  const drawFocus = (run: PageRun): void => {
    controls.show(run);
    replaceIfNew(numbers, runNumbers(run));
    log.show(run.folder, run.curves);
    spoken.say(`${run.record.name}: ${stateWord(run.record.state, run.brokenOff)}`);
    drawPinned(run);
  };
  let pinnedKey = '';
  const drawPinned = (run: PageRun): void => {
    const key = `${run.folder} ${run.curves.pinned.length} ${run.curves.steps.generation}`;
    if (key === pinnedKey) return;
    pinnedKey = key;
    const cards = pinnedPredictions(run.curves, {
      pictures,
      className: (index) => run.record.data?.classes.find((each) => each.index === index)?.name ?? `class ${index}`,
      onOpen: (path) => send({ type: 'open', path }),
    });
    pinned.hidden = cards === undefined;
    const step = run.curves.pinned.at(-1)?.step ?? 0;
    pinned.replaceChildren(
      element('h2', {}, [`Pinned images at step ${step}`]),
      ...(cards === undefined ? [] : [cards]),
    );
  };
  const drawComparison = (): void => {
    comparison.hidden = runs.shown.length < 2;
    if (runs.shown.length < 2) return;
    replaceIfNew(
      comparison,
      element('div', {}, [element('h2', {}, ['Comparison']), comparisonTable(runs.shown, colors.curves)]),
    );
  };
  const drawOthers = (): void => {
    add.element.hidden = runs.others.length === 0;
    const choices = runs.others.map(({ folder, name }) => ({ value: folder, label: name }));
    add.update([{ value: '', label: 'Compare with…' }, ...choices], '');
  };

  const refresh = everyFrame(() => {
    const [focus] = runs.shown;
    empty.hidden = focus !== undefined;
    main.hidden = focus === undefined;
    empty.textContent = runs.listed
      ? 'The run that was shown here is gone. The view “Checkpoints” has those that are there.'
      : 'Waiting for the run…';
    if (focus === undefined) return;
    drawFocus(focus);
    drawCharts();
    drawLegend();
    drawComparison();
    drawOthers();
  });
  return {
    refresh,
    restyle: () => {
      colors = themeColors();
      loss.restyle();
      accuracy.restyle();
      refresh();
    },
  };
}

const accuracyKind: ChartKind = { title: 'Validation accuracy', log: false, percent: true };

function lossKind(log: boolean): ChartKind {
  return { title: 'Loss', log, percent: false };
}

/** All steps of the runs, from 0. */
function wholeRange(runs: readonly PageRun[]): Range {
  const last = runs.map(({ curves }) =>
    Math.max(curves.steps.values('step').at(-1) ?? 0, curves.validations.values('step').at(-1) ?? 0),
  );
  return { min: 0, max: Math.max(1, ...last) };
}

/** A zoom kept inside the whole; undefined where it is all of it. */
function within({ min, max }: Range, whole: Range): Range | undefined {
  const range = { min: Math.max(whole.min, min), max: Math.min(whole.max, max) };
  if (range.max - range.min < 1e-3 || (range.min <= whole.min && range.max >= whole.max)) return undefined;
  return range;
}

/** Replaces what is shown only where it would look different, so that a selection of text stays. */
function replaceIfNew(place: HTMLElement, next: HTMLElement): void {
  if (place.firstElementChild?.outerHTML !== next.outerHTML) place.replaceChildren(next);
}
