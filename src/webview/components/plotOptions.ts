import uPlot from 'uplot';
import type { ThemeColors } from './themeColors.ts';
import type { ChartContent } from './chartContent.ts';
import { markedPoints, type Curve } from '../../charts/curve.ts';
import type { Range } from '../../charts/downsample.ts';
import { addMarker } from './markerPath.ts';
import { valueLabel, valueRange, valueTicks } from '../../charts/valueRange.ts';
import { axisTitle, xLabel, xTicks } from '../../charts/xAxis.ts';

/** What is told of the pointer. */
export type PlotListeners = {
  onZoom: (range: Range | undefined) => void;
  onCursor: (plot: uPlot) => void;
};

const pixelsPerTick = 80;

/** How uPlot draws a chart. `content` is asked again at every drawing. */
export function plotOptions(
  content: () => ChartContent,
  colors: ThemeColors,
  { onZoom, onCursor }: PlotListeners,
): Omit<uPlot.Options, 'width' | 'height'> {
  const { kind, curves, axis } = content();
  const font = `11px ${colors.font}`;
  const look = {
    stroke: colors.muted,
    font,
    labelFont: font,
    labelGap: 0,
    ticks: { stroke: colors.grid, width: 1, size: 5 },
  };
  return {
    legend: { show: false },
    padding: [12, 14, 0, 0],
    cursor: {
      // Charts of the same axis show the same place.
      sync: { key: `fivecrop ${axis}` },
      drag: { x: true, y: false, setScale: false },
      hover: { skip: [undefined, null], prox: 1 },
      bind: { dblclick: () => () => (onZoom(undefined), null) },
    },
    scales: {
      x: { time: false, range: () => [content().range.min, content().range.max] },
      y: {
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot's enum exists only in its types
        distr: kind.log ? 3 : 1,
        range: (_, min: number | null, max: number | null) => {
          const range = valueRange(kind, { min: min ?? Infinity, max: max ?? -Infinity });
          return [range.min, range.max];
        },
      },
    },
    axes: [
      {
        ...look,
        label: axisTitle(axis),
        size: 26,
        labelSize: 16,
        grid: { show: false },
        splits: (plot, _, min, max) =>
          xTicks(axis, { min, max }, Math.max(2, plot.bbox.width / uPlot.pxRatio / pixelsPerTick)),
        values: (_, ticks) => ticks.map((tick) => xLabel(axis, tick)),
      },
      {
        ...look,
        label: kind.values,
        size: 50,
        labelSize: 16,
        grid: { stroke: colors.grid, width: 0.5 },
        splits: (_, __, min, max) => valueTicks(kind, { min, max }),
        filter: (_, ticks) => ticks,
        values: (_, ticks) => ticks.map((tick) => valueLabel(kind, tick, ticks)),
      },
    ],
    series: [{}, ...curves.map(series)],
    hooks: {
      drawClear: [(plot) => drawMarks(plot, content().marks ?? [], colors.muted)],
      setCursor: [onCursor],
      setSelect: [(plot) => zoomToSelection(plot, onZoom)],
    },
  };
}

function series({ label, color, width, dash, alpha, marker, step }: Curve): uPlot.Series {
  return {
    label,
    stroke: color,
    width,
    dash: [...dash],
    alpha,
    spanGaps: true,
    ...(step === undefined ? {} : { paths: stepPaths(step) }),
    points: { show: true, fill: color, stroke: color, size: 8, paths: markerPaths(marker) },
  };
}

function stepPaths(step: 'before' | 'after'): uPlot.Series.PathBuilder {
  const paths = uPlot.paths.stepped?.({ align: step === 'after' ? 1 : -1 });
  if (paths === undefined) throw new Error('uPlot draws no steps');
  return paths;
}

/** Marks at some of the points of a series. */
function markerPaths(marker: Curve['marker']): uPlot.Series.Points.PathBuilder {
  return (plot, index, first, last) => {
    const values = plot.data[index] ?? [];
    const places: number[] = [];
    for (let at = first; at <= last; at++) if (values[at] !== null && values[at] !== undefined) places.push(at);
    const path = new Path2D();
    for (const point of markedPoints(places.length, marker)) {
      const at = places[point] ?? 0;
      const x = plot.valToPos(plot.data[0][at] ?? 0, 'x', true);
      addMarker(path, marker ?? 'circle', [x, plot.valToPos(values[at] ?? 0, 'y', true)], 4 * uPlot.pxRatio);
    }
    return { stroke: null, fill: path, clip: null, band: null, gaps: null, flags: 0 };
  };
}

function drawMarks(plot: uPlot, marks: readonly number[], color: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.lineWidth = uPlot.pxRatio;
  ctx.setLineDash([2 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
  ctx.beginPath();
  for (const mark of marks) {
    const x = Math.round(plot.valToPos(mark, 'x', true));
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}

function zoomToSelection(plot: uPlot, onZoom: PlotListeners['onZoom']): void {
  const { left, width } = plot.select;
  if (width < 4) return;
  const range = { min: plot.posToVal(left, 'x'), max: plot.posToVal(left + width, 'x') };
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom(range);
}
