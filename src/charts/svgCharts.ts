import type { ChartColors } from './chartColors.ts';
import { legendEntries, markedPoints, type ChartKind, type Curve, type LegendEntry } from './curve.ts';
import { downsample, type Points, type Range } from './downsample.ts';
import { fitted } from './fittedText.ts';
import { markerCorners, type Marker } from './runStyle.ts';
import { group, line, number, quoted, text } from './svgText.ts';
import { extent, valueLabel, valueRange, valueTicks } from './valueRange.ts';
import { axisTitle, type ChartAxis, xLabel, xTicks } from './xAxis.ts';

export type SvgChart = {
  kind: ChartKind;
  curves: readonly Curve[];
  /** Its own x axis, if it is not that of all. */
  axis?: ChartAxis;
};
export type SvgOptions = {
  /** What stands over all: whose curves these are. */
  heading: string;
  /** The line below it: what they were trained on. */
  data: string;
  charts: readonly SvgChart[];
  axis: ChartAxis;
  /** The part of the axis that is shown. */
  range: Range;
  /** Places with a vertical line: ends of epochs. */
  marks: readonly number[] | undefined;
  /** Pixels, of the whole picture. */
  width: number;
  /** Pixels, of a chart without its legend. */
  chartHeight: number;
  /** Tells the picture’s clip paths from those of other pictures in the same document. */
  id?: string;
  colors: Omit<ChartColors, 'curves'>;
};
export type Picture = { svg: string; width: number; height: number };

const left = 76;
const right = 20;
const top = 36;
const bottom = 46;
const headingRoom = 58;
const legendLine = 22;
const sampleWidth = 36;
/** Pixels that a letter takes, on the safe side: an SVG text has no width before it is drawn. */
const letter = 7;
const headingLetter = 10;
const mostTicks = 10;
const pixelsPerTick = 70;

type Frame = { x: (place: number) => number; y: (value: number) => number };

/** The charts as one SVG picture with legends, drawn from the data: what the export writes, and what PNG is made of. */
export function svgCharts(options: SvgOptions): Picture {
  const { width, chartHeight, colors, heading, data } = options;
  const room = width - left - right;
  let height = headingRoom;
  const parts = options.charts.map((chart, index) => {
    const legend = legendLines(legendEntries(chart.curves, { marks: options.marks, color: colors.muted }), width);
    const drawn = group(
      0,
      height,
      drawChart(chart, index, options) + drawLegend(legend, chartHeight, colors.foreground),
    );
    height += chartHeight + legend.length * legendLine + 8;
    return drawn;
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">` +
    `<rect width="${width}" height="${height}" fill="${quoted(colors.background)}"/>` +
    text(
      left,
      24,
      fitted(heading, room, (each) => each.length * headingLetter),
      colors.foreground,
      { weight: 'bold', size: 16 },
    ) +
    text(
      left,
      46,
      fitted(data, room, (each) => each.length * letter),
      colors.muted,
    ) +
    `${parts.join('')}</svg>`;
  return { svg, width, height };
}

function drawChart({ kind, curves, axis }: SvgChart, index: number, options: SvgOptions): string {
  const { range, width, chartHeight, colors } = options;
  const sampled = curves.map((curve) => positive(downsample(curve.points(), range, width), kind.log));
  const limits = extent(
    sampled.map(({ y }) => y),
    kind.log,
  );
  const values = valueRange(kind, limits);
  const frame = makeFrame(range, values, kind.log, width, chartHeight);
  const clip = `${options.id ?? ''}clip-${index}`;
  const room = 5;
  return [
    text(left, top - 14, kind.title, colors.foreground, { weight: 'bold' }),
    axes(kind, values, frame, axis === undefined ? options : { ...options, axis }),
    `<clipPath id="${clip}"><rect x="${left - room}" y="${top - room}" width="${width - left - right + 2 * room}" height="${chartHeight - top - bottom + 2 * room}"/></clipPath>`,
    `<g clip-path="url(#${clip})">`,
    ...(options.marks ?? []).map((place) =>
      line([frame.x(place), top], [frame.x(place), chartHeight - bottom], { color: colors.muted, dash: [2, 4] }),
    ),
    ...curves.map((curve, at) => drawCurve(curve, sampled[at], frame)),
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
    x: (place) => left + share(place, range) * (width - left - right),
    y: (value) => height - bottom - share(scaled(value), scaledRange) * (height - top - bottom),
  };
}

function axes(kind: ChartKind, values: Range, frame: Frame, options: SvgOptions): string {
  const { range, axis, width, chartHeight, colors } = options;
  const ticks = valueTicks(kind, values);
  const base = chartHeight - bottom;
  const middle = { x: (left + width - right) / 2, y: (top + base) / 2 };
  return [
    ...ticks.flatMap((tick) => [
      line([left, frame.y(tick)], [width - right, frame.y(tick)], { color: colors.grid, width: 0.5 }),
      text(left - 8, frame.y(tick) + 4, valueLabel(kind, tick, ticks), colors.muted, { anchor: 'end' }),
    ]),
    ...xTicks(axis, range, Math.min(mostTicks, (width - left - right) / pixelsPerTick)).map((tick) =>
      text(frame.x(tick), base + 18, xLabel(axis, tick), colors.muted, { anchor: 'middle' }),
    ),
    line([left, base], [width - right, base], { color: colors.muted }),
    text(middle.x, base + 38, axisTitle(axis), colors.muted, { anchor: 'middle' }),
    `<g transform="rotate(-90 18 ${middle.y})">${text(18, middle.y, kind.values, colors.muted, { anchor: 'middle' })}</g>`,
  ].join('');
}

function drawCurve(curve: Curve, points: Points | undefined, frame: Frame): string {
  if (points === undefined || points.x.length === 0) return '';
  const at = [...points.x].map((x, index) => [frame.x(x), frame.y(points.y[index] ?? NaN)] as const);
  const path = at.map(([x, y], index) => `${index === 0 ? 'M' : corner(curve.step, x, y)}${number(x)} ${number(y)}`).join(''); // prettier-ignore
  const dash = curve.dash.length === 0 ? '' : ` stroke-dasharray="${curve.dash.join(' ')}"`;
  const color = quoted(curve.color);
  const marks = markedPoints(at.length, curve.marker).map((index) => {
    const [x, y] = at[index] ?? [NaN, NaN];
    return drawMarker(x, y, curve.marker ?? 'circle');
  });
  return (
    `<g opacity="${curve.alpha}"><title>${quoted(curve.label)}</title>` +
    `<path d="${path}" fill="none" stroke="${color}" stroke-width="${curve.width}" stroke-linejoin="round"${dash}/>` +
    `<g fill="${color}">${marks.join('')}</g></g>`
  );
}

/** What leads to a point: a line, or for steps a corner before it. */
function corner(step: Curve['step'], x: number, y: number): string {
  if (step === undefined) return 'L';
  return step === 'after' ? `H${number(x)}L` : `V${number(y)}L`;
}

function drawMarker(x: number, y: number, marker: Marker): string {
  const corners = markerCorners(marker, 4);
  if (corners.length === 0) return `<circle cx="${number(x)}" cy="${number(y)}" r="4"/>`;
  return `<polygon points="${corners.map(([dx, dy]) => `${number(x + dx)},${number(y + dy)}`).join(' ')}"/>`;
}

type PlacedEntry = LegendEntry & { x: number };

/** Entries beside each other, as many as the picture is wide. */
function legendLines(entries: readonly LegendEntry[], width: number): PlacedEntry[][] {
  const lines: PlacedEntry[][] = [];
  const room = width - left - right - sampleWidth - 28;
  let x = Infinity;
  for (const entry of entries) {
    const label = fitted(entry.label, room, (each) => each.length * letter);
    const needed = sampleWidth + 8 + label.length * letter + 20;
    if (x + needed > width - right) {
      lines.push([]);
      x = left;
    }
    lines.at(-1)?.push({ ...entry, label, x });
    x += needed;
  }
  return lines;
}

function drawLegend(lines: readonly PlacedEntry[][], from: number, foreground: string): string {
  return lines
    .flatMap((entries, index) => entries.map((entry) => drawEntry(entry, from + index * legendLine + 8, foreground)))
    .join('');
}

function drawEntry({ x, label, marker, alpha, ...look }: PlacedEntry, y: number, foreground: string): string {
  const mark = marker === undefined ? '' : drawMarker(x + sampleWidth / 2, y, marker);
  return (
    `<g opacity="${alpha}" fill="${quoted(look.color)}">${line([x, y], [x + sampleWidth, y], look)}${mark}</g>` +
    text(x + sampleWidth + 8, y + 4, label, foreground)
  );
}
