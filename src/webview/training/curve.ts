import type { Points } from './downsample.ts';
import type { Marker } from './runStyle.ts';

/** One line of a chart. `points` gives the exact ones, as they are at the moment of drawing. */
export type Curve = {
  label: string;
  color: string;
  /** Pixels. */
  width: number;
  dash: readonly number[];
  /** Opacity, 0 to 1. */
  alpha: number;
  marker?: Marker;
  points: () => Points;
};

/** What a chart shows of its values. */
export type ChartKind = {
  title: string;
  /** A logarithmic y axis, which leaves out what is not above 0. */
  log: boolean;
  /** The values are shares, shown as percent. */
  percent: boolean;
};

/** Marks are drawn on a curve of at most this many points; on more they would hide it. */
export const markedPoints = 80;
