import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import type { KeptState } from '../components/host.ts';
import { themeColors } from '../components/themeColors.ts';
import { createChart } from '../components/chart.ts';
import { zoomed, zoomIn, zoomOut } from '../components/chartKeys.ts';
import { chartToolbar } from './chartToolbar.ts';
import type { Range } from '../../charts/downsample.ts';
import { exportCharts, type ExportFormat } from './exportCharts.ts';
import type { TrainingPageState } from './pageState.ts';
import { epochMarks, furtherCharts, mainCharts, wholeRange, within } from '../../charts/runCharts.ts';
import { isThinned } from '../../charts/runCurves.ts';
import type { PageRun } from './shownRun.ts';

export type CurvesSectionOptions = {
  state: KeptState<TrainingPageState>;
  /** The runs whose curves are drawn; the first one's epochs are marked. */
  runs: () => readonly PageRun[];
  /** Asks for the page to be drawn, as choices have changed. */
  redraw: () => void;
  /** The place on the axis under the pointer; undefined when it leaves. */
  onHover: (place: number | undefined) => void;
  onExported: (exported: { format: ExportFormat; thinned: boolean; content: string }) => void;
};

export type CurvesSection = { element: HTMLElement; draw: () => void; restyle: () => void };

/** The charts with all that is chosen for them. */
export function curvesSection({ state, runs, redraw, onHover, onExported }: CurvesSectionOptions): CurvesSection {
  let colors = themeColors();
  const whole = () => wholeRange(runs(), state.value.axis);
  const range = () => state.value.zoom ?? whole();
  const onZoom = (zoom: Range | undefined): void => {
    state.change({ zoom: zoom === undefined ? undefined : within(zoom, whole()) });
    redraw();
  };
  const drawn = () => {
    const [focus] = runs();
    return {
      charts: [
        ...mainCharts(runs(), state.value, colors),
        ...(state.value.further ? furtherCharts(runs(), state.value, colors) : []),
      ],
      axis: state.value.axis,
      range: range(),
      marks: focus === undefined ? [] : epochMarks(focus, state.value.axis, range()),
    };
  };
  const toolbar = chartToolbar({
    choices: state.value,
    onChoice: (changed) => {
      // A part of one axis says nothing on another.
      state.change(changed.axis === undefined ? changed : { ...changed, zoom: undefined });
      redraw();
    },
    onZoom: (towards) => onZoom(towards === 'all' ? undefined : zoomed(range(), towards === 'in' ? zoomIn : zoomOut)),
    onExport: (format) => {
      const thinned = format === 'csv' && runs().some((run) => isThinned(run.curves));
      void exportCharts(format, runs(), { ...drawn(), colors }).then((content) =>
        onExported({ format, thinned, content }),
      );
    },
  });
  const chart = (shape: number) => createChart({ shape, onZoom, onHover });
  const always = [chart(0.34), chart(0.24)];
  const folded = [chart(0.16), chart(0.16), chart(0.16)];
  const further = element('details', { open: state.value.further }, [
    element('summary', {}, [l10n.t('Learning rate, speed and gradient norm')]),
    ...folded.map(({ element: each }) => each),
  ]);
  further.addEventListener('toggle', () => {
    if (further.open === state.value.further) return;
    state.change({ further: further.open });
    redraw();
  });
  const charts = [...always, ...folded];
  return {
    element: element('section', { class: 'curves', 'aria-label': l10n.t('Curves') }, [
      toolbar.element,
      ...always.map(({ element: each }) => each),
      further,
    ]),
    draw: () => {
      const { charts: contents, ...shared } = drawn();
      charts.forEach((each, index) => {
        const content = contents[index];
        each.element.hidden = content === undefined;
        if (content !== undefined) each.show({ ...content, ...shared });
      });
      toolbar.show(state.value.zoom !== undefined);
    },
    restyle: () => {
      colors = themeColors();
      for (const each of charts) each.restyle();
    },
  };
}
