import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { element } from '../components/element.ts';
import { percent, short } from '../components/format.ts';
import { themeColors, type ThemeColors } from '../components/themeColors.ts';
import { markedPoints, type ChartKind, type Curve } from './curve.ts';
import { downsample, type Range } from './downsample.ts';
import { markerCorners, type Marker } from './runStyle.ts';
import { valueRange } from './valueRange.ts';

export type ChartContent = {
  kind: ChartKind;
  curves: readonly Curve[];
  /** Steps with a vertical line. */
  marks: readonly number[];
  /** Steps to show. */
  range: Range;
};

export type ChartOptions = {
  /** Height as a share of the width, within limits. */
  shape: number;
  /** The user chose a part of the steps, or with undefined all. */
  onZoom: (range: Range | undefined) => void;
  /** The step under the pointer; undefined when it leaves. */
  onHover: (step: number | undefined) => void;
};

export type Chart = {
  element: HTMLElement;
  /** Draws this. Cheap where only points have come; curves of another number or look make the chart anew. */
  show: (content: ChartContent) => void;
  /** Reads the theme's colours again. */
  restyle: () => void;
};

const zoomFactor = 0.6;
const keyboardStep = 0.02;
const help = 'Drag or press plus and minus to zoom, double click or Escape to show all, arrow keys to read values.';

/** A chart of curves over steps, drawn by uPlot from points that are thinned to the pixels there are. */
export function createChart({ shape, onZoom, onHover }: ChartOptions): Chart {
  const box = element('div', { class: 'chart', tabindex: 0, role: 'group' });
  let plot: uPlot | undefined;
  let content: ChartContent | undefined;
  let look = '';

  const height = () => Math.round(Math.max(180, Math.min(440, width() * shape)));
  const width = () => Math.max(200, Math.floor(box.clientWidth));
  const build = (shown: ChartContent): void => {
    plot?.destroy();
    box.setAttribute('aria-label', `${shown.kind.title}. ${help}`);
    const options = plotOptions(() => content ?? shown, themeColors(), { onZoom, onHover });
    plot = new uPlot({ ...options, width: width(), height: height() }, joined(shown, width()), box);
  };
  const show = (shown: ChartContent): void => {
    content = shown;
    const nextLook = JSON.stringify([shown.kind, shown.curves]);
    if (plot === undefined || nextLook !== look) {
      look = nextLook;
      build(shown);
    } else plot.setData(joined(shown, width()));
  };

  new ResizeObserver(() => {
    if (plot === undefined || content === undefined || plot.width === width()) return;
    plot.setSize({ width: width(), height: height() });
    plot.setData(joined(content, width()));
  }).observe(box);
  box.addEventListener('keydown', (event) => {
    if (plot === undefined || content === undefined) return;
    if (pressed(event.key, plot, content.range, onZoom)) event.preventDefault();
  });
  box.addEventListener('blur', () => onHover(undefined));
  return {
    element: box,
    show,
    restyle: () => {
      look = '';
      if (content !== undefined) show(content);
    },
  };
}

/** The curves' drawn points over the union of their steps. */
function joined({ curves, range, kind }: ChartContent, pixels: number): uPlot.AlignedData {
  const tables = curves.map((curve): uPlot.AlignedData => {
    const { x, y } = downsample(curve.points(), range, pixels);
    return [x, kind.log ? Array.from(y, (value) => (value > 0 ? value : null)) : y];
  });
  return tables.length === 0 ? [[]] : uPlot.join(tables);
}

function plotOptions(
  content: () => ChartContent,
  colors: ThemeColors,
  { onZoom, onHover }: Pick<ChartOptions, 'onZoom' | 'onHover'>,
): Omit<uPlot.Options, 'width' | 'height'> {
  const { kind, curves } = content();
  const axis = { stroke: colors.muted, font: `11px ${colors.font}`, ticks: { stroke: colors.grid, width: 1 } };
  return {
    legend: { show: false },
    padding: [12, 12, 0, 0],
    cursor: {
      sync: { key: 'fivecrop' },
      drag: { x: true, y: false, setScale: false },
      hover: { skip: [undefined, null], prox: 24 },
      bind: { dblclick: () => () => (onZoom(undefined), null) },
    },
    scales: {
      x: { time: false, range: () => [content().range.min, content().range.max] },
      y: {
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot's enum exists only in its types
        distr: kind.log ? 3 : 1,
        range: (_, min: number | null, max: number | null) => {
          const range = valueRange(kind, min ?? Infinity, max ?? -Infinity);
          return [range.min, range.max];
        },
      },
    },
    axes: [
      { ...axis, size: 34, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => short(tick, 7)) },
      {
        ...axis,
        size: 58,
        grid: { stroke: colors.grid, width: 0.5 },
        values: (_, ticks) => ticks.map((tick: number | null) => (tick === null ? '' : label(kind, tick))),
      },
    ],
    series: [{}, ...curves.map(series)],
    hooks: {
      drawClear: [(plot) => drawMarks(plot, content().marks, colors.muted)],
      setCursor: [
        (plot) => {
          const { left = -1 } = plot.cursor;
          onHover(left >= 0 ? plot.posToVal(left, 'x') : undefined);
        },
      ],
      setSelect: [(plot) => zoomToSelection(plot, onZoom)],
    },
  };
}

function label(kind: ChartKind, value: number): string {
  return kind.percent ? percent(value, 0) : short(value, 3);
}

function series({ label: name, color, width, dash, alpha, marker }: Curve): uPlot.Series {
  return {
    label: name,
    stroke: color,
    width,
    dash: [...dash],
    alpha,
    spanGaps: true,
    points:
      marker === undefined
        ? { show: false }
        : {
            show: (plot, index) => fewPoints(plot, index),
            fill: color,
            stroke: color,
            size: 8,
            paths: markerPaths(marker),
          },
  };
}

function fewPoints(plot: uPlot, index: number): boolean {
  let points = 0;
  for (const value of plot.data[index] ?? []) if (value !== null && value !== undefined) points++;
  return points <= markedPoints;
}

/** Marks of a shape at every point of a series. */
function markerPaths(marker: Marker): uPlot.Series.Points.PathBuilder {
  return (plot, index, first, last) => {
    const path = new Path2D();
    const radius = 4 * uPlot.pxRatio;
    for (let at = first; at <= last; at++) {
      const value = plot.data[index]?.[at];
      if (value === null || value === undefined) continue;
      addMarker(path, marker, plot.valToPos(plot.data[0][at] ?? 0, 'x', true), plot.valToPos(value, 'y', true), radius);
    }
    return { stroke: null, fill: path, clip: null, band: null, gaps: null, flags: 0 };
  };
}

function addMarker(path: Path2D, marker: Marker, x: number, y: number, radius: number): void {
  const corners = markerCorners(marker, radius);
  if (corners.length === 0) {
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  corners.forEach(([dx, dy], corner) => {
    if (corner === 0) path.moveTo(x + dx, y + dy);
    else path.lineTo(x + dx, y + dy);
  });
  path.closePath();
}

function drawMarks(plot: uPlot, marks: readonly number[], color: string): void {
  const { ctx, bbox } = plot;
  const { min = 0, max = 0 } = plot.scales['x'] ?? {};
  const visible = marks.filter((step) => step >= min && step <= max);
  if (visible.length > bbox.width / (6 * uPlot.pxRatio)) return;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.globalAlpha = 0.55;
  ctx.lineWidth = uPlot.pxRatio;
  ctx.setLineDash([2 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
  ctx.beginPath();
  for (const step of visible) {
    const x = Math.round(plot.valToPos(step, 'x', true));
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}

function zoomToSelection(plot: uPlot, onZoom: ChartOptions['onZoom']): void {
  const { left, width } = plot.select;
  if (width < 4) return;
  const range = { min: plot.posToVal(left, 'x'), max: plot.posToVal(left + width, 'x') };
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom(range);
}

/** What a key does; whether it does anything. */
function pressed(key: string, plot: uPlot, range: Range, onZoom: ChartOptions['onZoom']): boolean {
  const width = plot.bbox.width / uPlot.pxRatio;
  const at = plot.cursor.left === undefined || plot.cursor.left < 0 ? width / 2 : plot.cursor.left;
  const move = (left: number) =>
    plot.setCursor({ left: Math.max(0, Math.min(width - 1, left)), top: plot.bbox.height / uPlot.pxRatio / 2 });
  const zoom = (factor: number) => {
    const centre = plot.posToVal(at, 'x');
    onZoom({ min: centre - (centre - range.min) * factor, max: centre + (range.max - centre) * factor });
  };
  const actions: Record<string, () => void> = {
    ArrowLeft: () => move(at - width * keyboardStep),
    ArrowRight: () => move(at + width * keyboardStep),
    Home: () => move(0),
    End: () => move(width),
    '+': () => zoom(zoomFactor),
    '=': () => zoom(zoomFactor),
    '-': () => zoom(1 / zoomFactor),
    Escape: () => onZoom(undefined),
  };
  const action = actions[key];
  action?.();
  return action !== undefined;
}
