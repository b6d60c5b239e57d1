import type { ShownRun } from '../../protocol/trainingPanel.ts';
import type { RunCurves } from './runCurves.ts';
import type { RunStyle } from './runStyle.ts';
import type { Smoothed } from './smoothing.ts';

/** A run on the page: what the host says of it, its curves, and how they are drawn. */
export type PageRun = ShownRun & {
  /** What people call it, see `runTitle`. */
  title: string;
  curves: RunCurves;
  style: RunStyle;
  /** The smoothed training loss as last computed, and of which generation of the steps. */
  smoothed: { result: Smoothed; generation: number } | undefined;
};
