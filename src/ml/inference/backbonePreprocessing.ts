import * as z from 'zod';
import { type ClassLabel, classesSchema } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import { type PreprocessPreset, type Preprocessing, preprocessingSchema } from '../../protocol/preprocessing.ts';
import { readClassScores } from '../onnx/foreign/backbone.ts';
import type { TruncatedModel } from '../onnx/foreign/truncateModel.ts';

/**
 * The preset to prepare pixels with for an ONNX file where neither the user nor the file names one, and why. Networks
 * with a background class before ImageNet's 1000 come from TensorFlow's slim collection, which expects -1 to 1; of all
 * others ImageNet's mean and standard deviation are the commonest.
 */
export function suggestPreset(model: Uint8Array): { readonly preset: PreprocessPreset; readonly reason: string } {
  return hasBackground(model)
    ? { preset: 'tf', reason: 'it has a background class, as TensorFlow’s networks have' }
    : { preset: 'imagenet', reason: 'that is the most common' };
}

function hasBackground(model: Uint8Array): boolean {
  try {
    return readClassScores(model).background;
  } catch (error) {
    // A file may have features and no class scores.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Names in an ONNX file's metadata under which `export` says what is needed to use it. */
export const exportedKeys = { preprocessing: 'preprocessing', labels: 'labels', checkpoint: 'fivecrop' } as const;

/** What an ONNX file that `export` wrote says of its pixels and classes. */
export interface ExportedFacts {
  readonly preprocessing: Preprocessing;
  readonly labels: readonly ClassLabel[];
}

/**
 * What an ONNX file says of itself where `export` wrote it; undefined for any other file. Throws a user error where what
 * it says is damaged.
 */
export function exportedFacts(file: string, { metadata }: TruncatedModel): ExportedFacts | undefined {
  if (!metadata.has(exportedKeys.checkpoint)) return undefined;
  const said = <Value>(key: string, schema: z.ZodType<Value>): Value => {
    const { data } = schema.safeParse(parsed(metadata.get(key) ?? ''));
    if (data !== undefined) return data;
    throw userError(`${file} was exported by Fivecrop, but its metadata \`${key}\` is damaged: export it again.`);
  };
  return {
    preprocessing: said(exportedKeys.preprocessing, preprocessingSchema),
    labels: said(exportedKeys.labels, classesSchema),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
