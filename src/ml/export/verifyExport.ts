import { basename } from 'node:path';
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
import { checkForeign } from '../onnx/foreign/checkForeign.ts';
import { decodeOnnx, type OnnxModel } from '../onnx/onnxModel.ts';
import { isAsStamped } from '../inference/exportDigest.ts';
import { ownRuntime, type Runtime, type RuntimeSession } from './exportRuntime.ts';
import { type Answer, runTests, testPixels, type Verification } from './runTests.ts';

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
  try {
    const { model, form, tests } = provenParts(file, bytes);
    // A digest proves that a file is whole, not who wrote it.
    checkForeign(model);
    const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: fatalOnly });
    try {
      return await runTests({ ...form, tests }, (test) => answerTo(session, runtime, form, test));
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
}

interface ProvenParts {
  readonly model: OnnxModel;
  readonly form: ExportForm;
  readonly tests: readonly ExportTest[];
}

/** A file's model, form and tests, of which nothing was changed. */
function provenParts(file: string, bytes: Uint8Array): ProvenParts {
  const asStamped = isAsStamped(bytes);
  if (asStamped === false) {
    throw userError(`${file} is not as it was exported: it was changed or damaged since. Export it again.`);
  }
  const model = asStamped === undefined ? undefined : decodeOnnx(bytes);
  const metadata = new Map(model?.metadataProps?.map(({ key, value }) => [key, value] as const));
  if (!model || !metadata.has(exportKeys.form)) {
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
  return { model, form, tests: said(exportKeys.tests, exportTestsSchema) };
}

async function answerTo(
  session: RuntimeSession,
  { Tensor }: Runtime,
  form: ExportForm,
  test: ExportTest,
): Promise<Answer> {
  const { width, height } = test;
  const pixels = testPixels(test);
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
