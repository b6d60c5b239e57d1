import type * as z from 'zod';
import { parseBoundedJson } from '../../protocol/boundedJson.ts';
import { checkpointMetadataSchema, type ClassLabel, classesSchema } from '../../protocol/checkpointMetadata.ts';
import type { ConfidenceCalibration } from '../../protocol/confidenceCalibration.ts';
import { userError } from '../../protocol/errors.ts';
import { type ExportForm, exportFormSchema, exportKeys } from '../../protocol/exportFormat.ts';
import { type Preprocessing, preprocessingSchema } from '../../protocol/preprocessing.ts';
import type { TruncatedModel } from '../onnx/foreign/truncateModel.ts';
import type { ModelPart } from '../onnx/modelPart.ts';

/** What an ONNX file that `export` wrote says of its pixels and classes. */
export interface ExportedFacts {
  readonly preprocessing: Preprocessing;
  readonly labels: readonly ClassLabel[];
  /** What was fitted to its confidence, where the network is read without it. */
  readonly calibration: ConfidenceCalibration | undefined;
}

type Metadata = ReadonlyMap<string, string>;

/**
 * What an ONNX file says of itself where `export` wrote it; undefined for any other file. Throws a user error where what
 * it says is damaged.
 */
export function exportedFacts(file: string, { metadata }: Pick<TruncatedModel, 'metadata'>): ExportedFacts | undefined {
  if (!metadata.has(exportKeys.checkpoint)) return undefined;
  const said = <Value>(key: string, schema: z.ZodType<Value>): Value => {
    const value = parsed(metadata, key, schema);
    if (value !== undefined) return value;
    throw userError(`${file} was exported by Fivecrop, but its metadata \`${key}\` is damaged: export it again.`);
  };
  // Files from before there were forms have the temperature in what is read; that of float32 fits no network in 8 bits.
  const form = metadata.has(exportKeys.form) ? said(exportKeys.form, exportFormSchema) : undefined;
  const isFitted = form !== undefined && form.precision !== 'int8';
  return {
    preprocessing: said(exportKeys.preprocessing, preprocessingSchema),
    labels: said(exportKeys.labels, classesSchema),
    calibration: isFitted ? said(exportKeys.checkpoint, checkpointMetadataSchema).calibration : undefined,
  };
}

/**
 * Where the network lies in an ONNX file that `export` wrote, by the file's metadata; undefined for any other file. Throws
 * `RangeError` with a clause for the user where they are damaged.
 */
export function exportedNetwork(metadata: Metadata): ModelPart | undefined {
  if (!metadata.has(exportKeys.form)) return undefined;
  const form: ExportForm | undefined = parsed(metadata, exportKeys.form, exportFormSchema);
  const labels = parsed(metadata, exportKeys.labels, classesSchema);
  const preprocessing = parsed(metadata, exportKeys.preprocessing, preprocessingSchema);
  if (!form || !labels || !preprocessing) {
    throw new RangeError('it was exported by Fivecrop, but its metadata are damaged; export it again');
  }
  return { ...form.between, imageSize: preprocessing.crop, classes: labels.length };
}

function parsed<Value>(metadata: Metadata, key: string, schema: z.ZodType<Value>): Value | undefined {
  try {
    return schema.safeParse(parseBoundedJson(metadata.get(key) ?? '')).data;
  } catch {
    return undefined;
  }
}
