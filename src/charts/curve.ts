import * as l10n from '@vscode/l10n';
import type { Points } from './downsample.ts';
import type { Marker } from './runStyle.ts';

/** How a line is drawn, in the page, in a legend and in a picture. */
export type LineStyle = {
  color: string;
  /** Pixels. */
  width: number;
  dash: readonly number[];
  /** Opacity, 0 to 1. */
  alpha: number;
  marker?: Marker | undefined;
};

/** One line of a chart. `points` gives the exact ones, as they are at the moment of drawing. */
export type Curve = LineStyle & {
  label: string;
  points: () => Points;
  /** Steps and no slopes between points: a value holds from its point on (`after`), or up to it (`before`). */
  step?: 'before' | 'after';
};

export type LegendEntry = LineStyle & { label: string };

/** What the lines of a chart are: an entry per curve, and one for the ends of epochs, or what else is marked, unless `marks` leaves them out. */
export function legendEntries(
  curves: readonly Curve[],
  { marks, color, marked = l10n.t('End of an epoch') }: { marks: readonly number[] | undefined; color: string; marked?: string | undefined }, // prettier-ignore
): LegendEntry[] {
  const ends = { label: marked, color, width: 1, dash: [2, 4], alpha: 1 };
  return marks === undefined ? [...curves] : [...curves, ends];
}

/** What a chart shows of its values. */
export type ChartKind = {
  title: string;
  /** Title of the y axis. */
  values: string;
  /** A logarithmic y axis, which leaves out what is not above 0. */
  log: boolean;
  /** The values are shares, shown as percent. */
  percent: boolean;
  /** The y axis shows all of 0 to 1. */
  whole?: boolean;
};

const mostMarks = 24;

/** Which of a curve's points get a mark: a curve's shape on some of them, and a dot where one point is all there is. */
export function markedPoints(count: number, marker: Marker | undefined): number[] {
  if (marker === undefined) return count === 1 ? [0] : [];
  const every = Math.ceil(count / mostMarks);
  // Counted from the end, so that the last point always has one.
  return Array.from({ length: count }, (_, index) => index).filter((index) => (count - 1 - index) % every === 0);
}
