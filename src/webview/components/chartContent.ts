import type { ChartKind, Curve } from '../../charts/curve.ts';
import type { Range } from '../../charts/downsample.ts';
import type { ChartAxis } from '../../charts/xAxis.ts';

/** What a chart shows. */
export type ChartContent = {
  kind: ChartKind;
  curves: readonly Curve[];
  axis: ChartAxis;
  /** The part of the axis to show. */
  range: Range;
  /** Places with a vertical line: ends of epochs. Undefined if they are too many to be drawn. */
  marks: readonly number[] | undefined;
  /** What the marks are, if not ends of epochs. */
  marked?: string;
};
