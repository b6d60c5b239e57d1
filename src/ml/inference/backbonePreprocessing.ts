import { basename } from 'node:path';
import * as z from 'zod';
import { type ClassLabel, classesSchema } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import { type Preprocessing, presetConstants, preprocessingSchema } from '../../protocol/preprocessing.ts';
import type { ClassScores } from '../onnx/foreign/featuresAndScores.ts';
import type { TruncatedModel } from '../onnx/foreign/truncateModel.ts';

/**
 * The constants to prepare pixels with for an ONNX file if neither the user nor the file names any; `log` hears which, and
 * why. Networks with a background class before ImageNet's 1000 come from TensorFlow's slim collection, which expects -1 to
 * 1; of all others ImageNet's mean and standard deviation are the most common. `scores` are the file's, if it has any.
 */
export function suggestedConstants(
  file: string,
  scores: Pick<ClassScores, 'background'> | undefined,
  log?: (sentence: string) => void,
): Omit<Preprocessing, 'resize' | 'crop'> {
  const [preset, reason] = scores?.background
    ? (['tf', 'it has a background class, as TensorFlow’s networks have'] as const)
    : (['imagenet', 'that is the most common'] as const);
  log?.(`No --preprocess is given for ${basename(file)}, so ${preset} is taken: ${reason}.`);
  return presetConstants(preset);
}

/** Names in an ONNX file's metadata under which `export` says what is needed to use it. */
export const exportedKeys = {
  preprocessing: 'preprocessing',
  labels: 'labels',
  checkpoint: 'fivecrop',
  licence: 'licence',
} as const;

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
