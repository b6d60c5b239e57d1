import type { Slice } from '../../protocol/slices.ts';
import { formatTable } from './table.ts';

/** The slices of a test by one `--slice`. */
export interface SlicesBy {
  readonly by: string;
  readonly slices: readonly Slice[];
}

/** What `fivecrop test --slice` prints. */
export function sliceLines({ by, slices }: SlicesBy): string[] {
  const rows = slices.map(({ name, results, accuracy, interval }) => [
    name,
    String(results.length),
    accuracy.toFixed(3),
    `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
  ]);
  return ['', ...formatTable([by, 'images', 'accuracy', '95% interval'], rows)];
}

/** The same for `--json`, with the images that are predicted wrong. */
export function sliceObject({ by, slices }: SlicesBy): object {
  return {
    by,
    slices: slices.map(({ name, results, accuracy, interval }) => ({
      ...{ name, images: results.length, accuracy, interval },
      wrong: results.filter(({ actual, predicted }) => actual !== predicted).map(({ image }) => image),
    })),
  };
}
