import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { messageOf, UserError, userError } from '../../protocol/errors.ts';
import { readBytes, withRegularFile } from '../../runs/boundedFile.ts';
import { isOutOfMemory } from '../engine/outOfMemory.ts';
import {
  type ClassScores,
  type FeatureChoice,
  type FeatureExtractor,
  readClassScores,
  readFeatureExtractor,
} from '../onnx/foreign/featuresAndScores.ts';
import type { TruncatedModel } from '../onnx/foreign/truncateModel.ts';
import type { Tensor } from '../graph/tensor.ts';
import { exportedNetwork } from './exportedFacts.ts';
import type { Placement } from './graphClassifier.ts';

/** What is wanted of an ONNX file: its class scores, or the features named, or found, in it. */
export type ForeignUse = { readonly kind: 'scores' } | ({ readonly kind: 'features' } & FeatureChoice);

/** The most that protobuf, and so the ONNX format, has in one file. */
const mostBytes = 2 ** 31 - 1;
const longestReason = 400;

/** An ONNX file as it was read: whatever lies under its name later, these bytes are what is tried and used. */
export interface OnnxFile {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** Of the bytes, in hex. */
  readonly sha256: string;
}

/** Reads an ONNX file. Throws a user error where it cannot be read or is larger than the format allows. */
export function readOnnxFile(file: string): Promise<OnnxFile> {
  return withRegularFile(file, async (handle, size) => {
    if (size > mostBytes) throw userError(`${file} is larger than 2 GB, too large for an ONNX file: name another.`);
    const short = () => userError(`${file} became shorter while it was read: try again.`);
    const bytes = await readBytes(handle, 0, size, short);
    return { file, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
}

/** A file's class scores. Throws a user error that names the file where it has none that can be used. */
export function scoresOf({ file, bytes }: OnnxFile): ClassScores {
  return understood(file, () => readClassScores(bytes, exportedNetwork));
}

/** A file's features. Throws a user error that names the file where it has none that can be used. */
export function featuresOf({ file, bytes }: OnnxFile, choice?: FeatureChoice): FeatureExtractor {
  return understood(file, () => readFeatureExtractor(bytes, choice, exportedNetwork));
}

/** What the ONNX room has to say of a file is the user's. */
function understood<Result>(file: string, understand: () => Result): Result {
  try {
    return understand();
  } catch (error) {
    if (error instanceof RangeError) throw userError(`${basename(file)}: ${shortened(error.message)}.`, error);
    throw error;
  }
}

function shortened(reason: string): string {
  return reason.length > longestReason ? `${reason.slice(0, longestReason)}…` : reason;
}

/** A foreign model ready to run. */
export interface ForeignModel {
  /** Images float32 `[N, 3, S, S]`, prepared as it wants them -> `[N, count]`, all of them finite numbers. */
  run(images: Tensor & { readonly dtype: 'float32' }): Promise<Tensor & { readonly dtype: 'float32' }>;
  /** See `InferenceModel`. */
  in8Bits(): boolean;
  dispose(): Promise<void>;
}

/**
 * Compiles a foreign model that gives `count` columns. All that goes wrong here and when it runs is the file's fault and
 * thrown as a user error that names it, but for an `OutOfMemoryError`, after which a smaller batch may fit.
 */
export async function openForeignModel(
  file: string,
  { model, input, output }: TruncatedModel,
  count: number,
  { engine, device }: Placement,
): Promise<ForeignModel> {
  const compiled = await blamed(file, () => engine.compileOnnx(model, device));
  return {
    run: (images) =>
      blamed(file, async () => {
        const result = (await compiled.run(new Map([[input, images]]))).get(output);
        const [rows = 0] = images.shape;
        if (result?.dtype !== 'float32' || result.shape.join() !== [rows, count].join()) {
          throw new Error(`it gives [${result?.shape.join(', ') ?? ''}] and not [${rows}, ${count}]`);
        }
        if (!result.data.every(Number.isFinite)) throw new Error('it gives numbers that are not finite');
        return result;
      }),
    in8Bits: () => compiled.in8Bits?.() === true,
    dispose: () => compiled.dispose(),
  };
}

async function blamed<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError || isOutOfMemory(error)) throw error;
    const [line = ''] = messageOf(error).split('\n', 1);
    // ONNX Runtime puts the place in its own source before some of its sentences.
    const reason = line.replace(/^.*\/onnxruntime_src\/.*?\)(?: const)? (?=[A-Z])/u, '');
    throw userError(
      `${basename(file)} cannot be run (${shortened(reason)}): export it again, or choose another ONNX file.`,
      error,
    );
  }
}
