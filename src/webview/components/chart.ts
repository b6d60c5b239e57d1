import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import './chart.css';
import { announcer } from './announcer.ts';
import { element } from './element.ts';
import { themeColors } from './themeColors.ts';
import type { ChartContent } from './chartContent.ts';
import { chartHelp, keyAction } from './chartKeys.ts';
import { chartLegend } from './chartLegend.ts';
import { chartReadout, readingsAt } from './chartReadout.ts';
import { legendEntries } from '../../charts/curve.ts';
import { downsample, type Range } from '../../charts/downsample.ts';
import { plotOptions } from './plotOptions.ts';
import { xReading } from '../../charts/xAxis.ts';
import { setText } from './setText.ts';

export type ChartOptions = {
  /** Height as a share of the width, within limits. */
  shape: number;
  /** The user chose a part of the axis, or with undefined all. */
  onZoom: (range: Range | undefined) => void;
  /** The place on the axis under the pointer; undefined when it leaves. */
  onHover: (place: number | undefined) => void;
  /** The user chose a place on the axis, by a click or by Enter. */
  onPick?: (place: number) => void;
};

export type Chart = {
  element: HTMLElement;
  /** Draws this. Cheap where only points have come; curves of another number or look make the chart anew. */
  show: (content: ChartContent) => void;
  /** Reads the theme's colours again. */
  restyle: () => void;
};

/** A chart of curves with its title and legend, drawn by uPlot from points that are thinned to the pixels there are. */
export function createChart({ shape, onZoom, onHover, onPick }: ChartOptions): Chart {
  const title = element('h2');
  const readout = chartReadout();
  const spoken = announcer();
  const box = element('div', { class: 'chart', tabindex: 0, role: 'group' }, [readout.element]);
  const legend = element('div');
  let plot: uPlot | undefined;
  let content: ChartContent | undefined;
  let look = '';
  let readings = '';

  const width = () => Math.max(200, Math.floor(box.clientWidth));
  const height = () => Math.round(Math.max(190, Math.min(460, width() * shape)));
  const onCursor = (moved: uPlot): void => {
    const { left = -1 } = moved.cursor;
    if (left < 0 || content === undefined) {
      readout.hide();
      onHover(undefined);
      return;
    }
    const { axis, kind, curves } = content;
    const exact = moved.posToVal(left, 'x');
    const place = axis === 'step' ? Math.round(exact) : exact;
    const found = readingsAt(kind, curves, place);
    readout.show(xReading(axis, place), found, left > moved.bbox.width / uPlot.pxRatio / 2 ? 'left' : 'right');
    readings = [xReading(axis, place), ...found.map(({ label, value }) => `${label} ${value}`)].join(', ');
    onHover(place);
  };
  const build = (shown: ChartContent): void => {
    const colors = themeColors();
    setText(title, shown.kind.title);
    box.setAttribute('aria-label', `${shown.kind.title}. ${chartHelp}`);
    legend.replaceChildren(chartLegend(legendEntries(shown.curves, { ...shown, color: colors.muted })));
    // The room is kept while there is no plot, so that what follows does not jump.
    box.style.minHeight = `${height()}px`;
    plot?.destroy();
    readout.hide();
    const options = plotOptions(() => content ?? shown, colors, { onZoom, onCursor });
    plot = new uPlot({ ...options, width: width(), height: height() }, joined(shown, width()), box);
  };
  const show = (shown: ChartContent): void => {
    content = shown;
    const nextLook = JSON.stringify([shown.kind, shown.curves, shown.axis, shown.marks === undefined]);
    if (plot === undefined || nextLook !== look) {
      look = nextLook;
      build(shown);
    } else plot.setData(joined(shown, width()));
  };

  new ResizeObserver(() => {
    if (plot === undefined || content === undefined || box.clientWidth === 0 || plot.width === width()) return;
    box.style.minHeight = `${height()}px`;
    plot.setSize({ width: width(), height: height() });
    plot.setData(joined(content, width()));
  }).observe(box);
  const pick = (): void => {
    const { left = -1 } = plot?.cursor ?? {};
    if (plot !== undefined && left >= 0) onPick?.(plot.posToVal(left, 'x'));
  };
  onClickAlone(box, pick);
  box.addEventListener('keydown', (event) => {
    if (plot === undefined || content === undefined) return;
    if (event.key === 'Enter') pick();
    const action = keyAction(event.key, plot, content.range, onZoom);
    if (action === undefined) return;
    event.preventDefault();
    action();
    if (event.key.startsWith('Arrow')) spoken.say(readings);
  });
  box.addEventListener('blur', () => {
    readout.hide();
    onHover(undefined);
  });
  return {
    element: element('figure', { class: 'chart-block' }, [title, box, spoken.element, legend]),
    show,
    restyle: () => {
      look = '';
      if (content !== undefined) show(content);
    },
  };
}

/** The curves' drawn points over the union of their places. */
function joined({ curves, range, kind }: ChartContent, pixels: number): uPlot.AlignedData {
  const tables = curves.map((curve): uPlot.AlignedData => {
    const { x, y } = downsample(curve.points(), range, pixels);
    return [x, kind.log ? Array.from(y, (value) => (value > 0 ? value : null)) : y];
  });
  return tables.length === 0 ? [[]] : uPlot.join(tables);
}

/** Calls back for a click that is not the end of a drag, which zooms. */
function onClickAlone(box: HTMLElement, react: () => void): void {
  let pressed: { x: number; y: number } | undefined;
  box.addEventListener('pointerdown', ({ clientX: x, clientY: y }) => (pressed = { x, y }));
  box.addEventListener('click', ({ clientX, clientY }) => {
    const isDrag = pressed !== undefined && Math.hypot(clientX - pressed.x, clientY - pressed.y) > 3;
    if (!isDrag) react();
  });
}
