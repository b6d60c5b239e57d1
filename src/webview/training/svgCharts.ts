import { visible } from '../../protocol/visibleText.ts';
import { percent, short } from '../components/format.ts';
import { markedPoints, type ChartKind, type Curve } from './curve.ts';
import { downsample, type Points, type Range } from './downsample.ts';
import { markerCorners } from './runStyle.ts';
import { linearTicks, logTicks } from './ticks.ts';
import { extent, valueRange } from './valueRange.ts';

export type SvgChart = { kind: ChartKind; curves: readonly Curve[] };
export type SvgOptions = {
  charts: readonly SvgChart[];
  /** Runs of the legend, with the colour and dashes of their curves. */
  legend: readonly { label: string; color: string; dash: readonly number[] }[];
  /** Steps that are shown. */
  range: Range;
  /** Steps with a vertical line. */
  marks: readonly number[];
  /** Pixels, of the whole picture. */
  width: number;
  chartHeight: number;
  colors: { foreground: string; muted: string; background: string; grid: string };
};

const left = 64;
const right = 16;
const top = 32;
const bottom = 36;
const legendLine = 20;
const legendRoom = 8;

type Frame = { x: (step: number) => number; y: (value: number) => number };

/** The charts as one SVG picture, drawn from the data: what the export writes, and what PNG is made of. */
export function svgCharts(options: SvgOptions): string {
  const { width, chartHeight, charts, legend, colors } = options;
  const height = svgHeight(options);
  const parts = charts.map((chart, index) => group(0, index * chartHeight, drawChart(chart, options)));
  const lines = legend.map((entry, index) =>
    legendEntry(entry, charts.length * chartHeight + index * legendLine, colors.foreground),
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">` +
    `<rect width="${width}" height="${height}" fill="${escaped(colors.background)}"/>${[...parts, ...lines].join('')}</svg>`
  );
}

/** Height of the picture in pixels. */
export function svgHeight({
  charts,
  chartHeight,
  legend,
}: Pick<SvgOptions, 'charts' | 'chartHeight' | 'legend'>): number {
  return charts.length * chartHeight + legend.length * legendLine + legendRoom;
}

function drawChart({ kind, curves }: SvgChart, options: SvgOptions): string {
  const { range, width, chartHeight, colors } = options;
  const sampled = curves.map((curve) => positive(downsample(curve.points(), range, width), kind.log));
  const { min, max } = extent(
    sampled.map(({ y }) => y),
    kind.log,
  );
  const values = valueRange(kind, min, max);
  const frame = makeFrame(range, values, kind.log, width, chartHeight);
  const clip = `clip-${kind.title.replace(/\W/g, '')}`;
  return [
    text(left, top - 12, kind.title, colors.foreground, 'start', 'bold'),
    axes(kind, range, values, frame, options),
    `<clipPath id="${clip}"><rect x="${left}" y="${top}" width="${width - left - right}" height="${chartHeight - top - bottom}"/></clipPath>`,
    `<g clip-path="url(#${clip})">`,
    ...options.marks.map((step) => line(frame.x(step), top, frame.x(step), chartHeight - bottom, colors.muted, '2 4')),
    ...curves.map((curve, index) => drawCurve(curve, sampled[index], frame)),
    '</g>',
  ].join('');
}

function positive(points: Points, log: boolean): Points {
  if (!log) return points;
  const kept = [...points.y.keys()].filter((index) => (points.y[index] ?? 0) > 0);
  return {
    x: Float64Array.from(kept, (index) => points.x[index] ?? NaN),
    y: Float64Array.from(kept, (index) => points.y[index] ?? NaN),
  };
}

function makeFrame(range: Range, values: Range, log: boolean, width: number, height: number): Frame {
  const scaled = log ? Math.log : (value: number) => value;
  const share = (value: number, { min, max }: Range) => (value - min) / (max - min || 1);
  const scaledRange = { min: scaled(values.min), max: scaled(values.max) };
  return {
    x: (step) => left + share(step, range) * (width - left - right),
    y: (value) => height - bottom - share(scaled(value), scaledRange) * (height - top - bottom),
  };
}

function axes(
  kind: ChartKind,
  range: Range,
  values: Range,
  frame: Frame,
  { width, chartHeight, colors }: SvgOptions,
): string {
  const valueTicks = kind.log ? logTicks(values) : linearTicks(values, 5);
  const base = chartHeight - bottom;
  return [
    ...valueTicks.flatMap((tick) => [
      line(left, frame.y(tick), width - right, frame.y(tick), colors.grid),
      text(left - 6, frame.y(tick) + 4, kind.percent ? percent(tick, 0) : short(tick, 3), colors.muted, 'end'),
    ]),
    ...linearTicks(range, 8).map((tick) => text(frame.x(tick), base + 16, short(tick, 6), colors.muted, 'middle')),
    line(left, base, width - right, base, colors.muted),
    text(width - right, base + 30, 'step', colors.muted, 'end'),
  ].join('');
}

function drawCurve(curve: Curve, points: Points | undefined, frame: Frame): string {
  if (points === undefined || points.x.length === 0) return '';
  const at = [...points.x].map((x, index) => [frame.x(x), frame.y(points.y[index] ?? NaN)] as const);
  const path = at.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${fixed(x)} ${fixed(y)}`).join('');
  const dash = curve.dash.length === 0 ? '' : ` stroke-dasharray="${curve.dash.join(' ')}"`;
  const color = escaped(curve.color);
  const { marker } = curve;
  const marks = marker === undefined || at.length > markedPoints ? [] : at.map(([x, y]) => drawMarker(x, y, marker));
  return (
    `<g opacity="${curve.alpha}"><title>${escaped(curve.label)}</title>` +
    `<path d="${path}" fill="none" stroke="${color}" stroke-width="${curve.width}" stroke-linejoin="round"${dash}/>` +
    `<g fill="${color}">${marks.join('')}</g></g>`
  );
}

function drawMarker(x: number, y: number, marker: NonNullable<Curve['marker']>): string {
  const corners = markerCorners(marker, 4);
  if (corners.length === 0) return `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="4"/>`;
  return `<polygon points="${corners.map(([dx, dy]) => `${fixed(x + dx)},${fixed(y + dy)}`).join(' ')}"/>`;
}

function legendEntry({ label, color, dash }: SvgOptions['legend'][number], y: number, foreground: string): string {
  return (
    line(left, y + 8, left + 32, y + 8, color, dash.join(' '), 2) + text(left + 40, y + 12, label, foreground, 'start')
  );
}

function line(x1: number, y1: number, x2: number, y2: number, color: string, dash = '', width = 1): string {
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
  return `<line x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}" stroke="${escaped(color)}" stroke-width="${width}"${dashes}/>`;
}

function text(x: number, y: number, content: string, color: string, anchor: string, weight = 'normal'): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" fill="${escaped(color)}" text-anchor="${anchor}" font-weight="${weight}">${escaped(content)}</text>`;
}

function group(x: number, y: number, content: string): string {
  return `<g transform="translate(${x} ${y})">${content}</g>`;
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escaped(content: string): string {
  return visible(content)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
