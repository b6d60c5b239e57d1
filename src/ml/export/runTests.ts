import { inflateSync } from 'node:zlib';
import type { ExportForm, ExportTest } from '../../protocol/exportFormat.ts';

/** Where a runtime and an export's expectations part. */
export interface Difference {
  /** Number of the test image, from 1. */
  readonly test: number;
  /** Index of the class; undefined where the whole answer is of no use. */
  readonly index?: number;
  readonly expected?: number;
  readonly found?: number;
}

/** What came of running an export's tests. */
export interface Verification {
  readonly tests: number;
  /** How many of them are images of the data. */
  readonly ofData: number;
  readonly tolerance: number;
  /** The largest difference of a probability up to the first beyond the tolerance. */
  readonly largest: number;
  /** The first difference beyond the tolerance; undefined where there is none. */
  readonly failure?: Difference;
}

/** What a runtime says of an image. */
export interface Answer {
  readonly probabilities: ArrayLike<number>;
  readonly rejected: boolean | undefined;
}

type Judged = Pick<ExportForm, 'threshold' | 'tolerance'> & { readonly tests: readonly ExportTest[] };

/** Compares what `answerTo` says of each test image with what is expected, up to the first difference. */
export async function runTests(
  { tests, tolerance, threshold }: Judged,
  answerTo: (test: ExportTest) => Promise<Answer>,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<Verification> {
  const ofData = tests.filter(({ kind }) => kind === 'validation').length;
  const counted = { tests: tests.length, ofData, tolerance };
  let largest = 0;
  for (const [at, test] of tests.entries()) {
    onProgress(at, tests.length);
    const difference = differenceOf(test, await answerTo(test), { tolerance, threshold });
    largest = Math.max(largest, difference.size);
    if (difference.size <= tolerance) continue;
    return { ...counted, largest, failure: { test: at + 1, ...difference.place } };
  }
  return { ...counted, largest };
}

/** The pixels of a test image, `[height, width, 3]`. */
export function testPixels({ width, height, pixels }: ExportTest): Uint8Array {
  return new Uint8Array(inflateSync(Buffer.from(pixels, 'base64'), { maxOutputLength: 3 * width * height }));
}

/** The largest difference of a class; infinite where the answers are not of one kind. */
function differenceOf(
  { probabilities: expected }: ExportTest,
  { probabilities, rejected }: Answer,
  { threshold, tolerance }: Pick<ExportForm, 'threshold' | 'tolerance'>,
) {
  if (probabilities.length !== expected.length) return { size: Infinity, place: {} };
  let [size, index] = [0, 0];
  for (const [at, value] of expected.entries()) {
    const apart = Math.abs((probabilities[at] ?? NaN) - value);
    if (apart <= size) continue;
    [size, index] = [Number.isNaN(apart) ? Infinity : apart, at];
  }
  const place = { index, expected: expected[index] ?? 0, found: probabilities[index] ?? NaN };
  if (threshold === undefined) return { size, place };
  const confidence = Math.max(...expected);
  const isSure = Math.abs(confidence - threshold) > tolerance;
  return isSure && rejected !== confidence < threshold ? { size: Infinity, place: {} } : { size, place };
}
