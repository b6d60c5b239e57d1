import { basename } from 'node:path';
import { inflateSync } from 'node:zlib';
import type * as z from 'zod';
import { messageOf, UserError, userError } from '../../protocol/errors.ts';
import {
  exportedNames,
  exportFormSchema,
  type ExportForm,
  exportKeys,
  type ExportTest,
  exportTestsSchema,
} from '../../protocol/exportFormat.ts';
import { fatalOnly } from '../engine/onnxruntime/loadRuntime.ts';
import { decodeOnnx } from '../onnx/onnxModel.ts';
import { isAsStamped } from '../inference/exportDigest.ts';
import { ownRuntime, type Runtime, type RuntimeSession } from './exportRuntime.ts';

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

/**
 * Checks that an exported file is as it was written, and runs its test images in a runtime, up to the first difference.
 * Throws a user error for a file that was changed since, has no tests because it takes prepared images, was not exported
 * by Fivecrop, or does not run.
 */
export async function verifyExport(
  file: string,
  bytes: Uint8Array,
  runtime: Runtime = ownRuntime(),
): Promise<Verification> {
  const { form, tests } = provenParts(file, bytes);
  const ofData = tests.filter(({ kind }) => kind === 'validation').length;
  const counted = { tests: tests.length, ofData, tolerance: form.tolerance };
  let largest = 0;
  try {
    const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: fatalOnly });
    try {
      for (const [at, test] of tests.entries()) {
        const found = await answerTo(session, runtime, form, test);
        const difference = differenceOf(test, found, form);
        largest = Math.max(largest, difference.size);
        if (difference.size <= form.tolerance) continue;
        return { ...counted, largest, failure: { test: at + 1, ...difference.place } };
      }
    } finally {
      await session.release();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw userError(
      `${basename(file)} does not run in this runtime (${messageOf(error).split('\n', 1)[0] ?? ''}).`,
      error,
    );
  }
  return { ...counted, largest };
}

/** A file's form and tests, of which nothing was changed. */
function provenParts(file: string, bytes: Uint8Array): { form: ExportForm; tests: ExportTest[] } {
  const asStamped = isAsStamped(bytes);
  if (asStamped === false) {
    throw userError(`${file} is not as it was exported: it was changed or damaged since. Export it again.`);
  }
  const metadata = asStamped === undefined ? new Map<string, string>() : metadataOf(bytes);
  if (!metadata.has(exportKeys.form)) {
    throw userError(`${file} has no proof in it: it was not exported by this version of Fivecrop. Export it again.`);
  }
  const said = <Value>(key: string, schema: z.ZodType<Value>): Value => {
    const { data } = schema.safeParse(JSON.parse(metadata.get(key) ?? 'null'));
    if (data !== undefined) return data;
    throw userError(`${file} was exported by a newer Fivecrop: update Fivecrop to verify it.`);
  };
  const form = said(exportKeys.form, exportFormSchema);
  if (form.input === 'normalized') {
    throw userError(
      `${file} is as it was exported, but has no test images, because it takes prepared images: export it with --input hwc or nchw to have some.`,
    );
  }
  return { form, tests: said(exportKeys.tests, exportTestsSchema) };
}

function metadataOf(bytes: Uint8Array): Map<string, string> {
  return new Map((decodeOnnx(bytes).metadataProps ?? []).map(({ key, value }) => [key, value] as const));
}

interface Answer {
  readonly probabilities: ArrayLike<number>;
  readonly rejected: boolean | undefined;
}

async function answerTo(
  session: RuntimeSession,
  { Tensor }: Runtime,
  form: ExportForm,
  test: ExportTest,
): Promise<Answer> {
  const { width, height } = test;
  const size = 3 * width * height;
  const pixels = new Uint8Array(inflateSync(Buffer.from(test.pixels, 'base64'), { maxOutputLength: size }));
  const tensor =
    form.input === 'nchw'
      ? new Tensor('uint8', planesOf(pixels), [1, 3, height, width])
      : new Tensor('uint8', pixels, [height, width, 3]);
  const results = await session.run({ [exportedNames.pixels]: tensor });
  const { [exportedNames.probabilities]: probabilities, [exportedNames.rejected]: rejected } = results;
  return {
    probabilities: (probabilities?.data ?? []) as ArrayLike<number>,
    rejected: rejected && Boolean(rejected.data[0]),
  };
}

/** `[height, width, 3]` as `[3, height, width]`. */
function planesOf(pixels: Uint8Array): Uint8Array {
  const plane = pixels.length / 3;
  return Uint8Array.from(pixels, (_, at) => pixels[3 * (at % plane) + Math.floor(at / plane)] ?? 0);
}

/** The largest difference of a class; infinite where the answers are not of one kind. */
function differenceOf({ probabilities: expected }: ExportTest, { probabilities, rejected }: Answer, form: ExportForm) {
  if (probabilities.length !== expected.length) return { size: Infinity, place: {} };
  let [size, index] = [0, 0];
  for (const [at, value] of expected.entries()) {
    const apart = Math.abs((probabilities[at] ?? NaN) - value);
    if (apart <= size) continue;
    [size, index] = [Number.isNaN(apart) ? Infinity : apart, at];
  }
  const place = { index, expected: expected[index] ?? 0, found: probabilities[index] ?? NaN };
  const { threshold, tolerance } = form;
  if (threshold === undefined) return { size, place };
  const confidence = Math.max(...expected);
  const isSure = Math.abs(confidence - threshold) > tolerance;
  return isSure && rejected !== confidence < threshold ? { size: Infinity, place: {} } : { size, place };
}
