import type { RunRecord } from '../protocol/runRecord.ts';
import type { RunCurves } from './runCurves.ts';
import type { RunStyle } from './runStyle.ts';
import type { Smoothed } from './smoothing.ts';

/** A run as charts draw it. */
export type DrawnRun = {
  /** What people call it, see `runTitle`. */
  title: string;
  record: Pick<RunRecord, 'data'>;
  curves: RunCurves;
  style: RunStyle;
  /** The smoothed training loss as last computed, and of which generation of the steps. */
  smoothed: { result: Smoothed; generation: number } | undefined;
};
