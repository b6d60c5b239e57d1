import * as z from 'zod';
import { between, count, list, mostClasses, name, positive, text, whole } from './bounded.ts';

/*
 * What an export says of itself: an ONNX file as JSON or text in its metadata, a folder for TensorFlow.js in a file.
 */

/** Names in an ONNX file's metadata. */
export const exportKeys = {
  preprocessing: 'preprocessing',
  labels: 'labels',
  /** The checkpoint's own metadata. */
  checkpoint: 'fivecrop',
  licence: 'licence',
  form: 'export',
  tests: 'tests',
  digest: 'digest',
} as const;

/**
 * What goes into an exported model: decoded pixels (uint8) of any size as `[H, W, 3]` or `[N, 3, H, W]`, or float32
 * `[N, 3, S, S]` that the user has prepared.
 */
export const exportInputs = ['hwc', 'nchw', 'normalized'] as const;
export type ExportInput = (typeof exportInputs)[number];

/** What the weights of an exported model are held in. */
export const exportPrecisions = ['float32', 'float16', 'int8'] as const;
export type ExportPrecision = (typeof exportPrecisions)[number];

/** Names of values in an exported model. */
export const exportedNames = {
  /** Input of decoded pixels. */
  pixels: 'pixels',
  /** Input of prepared images. */
  input: 'input',
  logProbabilities: 'log_probabilities',
  probabilities: 'probabilities',
  /** Whether the confidence is below the threshold, where one is kept. */
  rejected: 'rejected',
} as const;

export const exportFormatVersion = 1;

/** Accuracy of the same validation images with the checkpoint and with its export. */
export const exportAccuracySchema = z.object({
  images: count(),
  checkpoint: between(0, 1),
  exported: between(0, 1),
});
export type ExportAccuracy = z.infer<typeof exportAccuracySchema>;

export const exportFormSchema = z.object({
  version: z.literal(exportFormatVersion),
  input: z.enum(exportInputs),
  crops: z.union([z.literal(1), z.literal(5)]),
  precision: z.enum(exportPrecisions),
  /** What the network is called. */
  network: name(1),
  /** The values between which the network lies: prepared images, and log-probabilities at temperature 1. */
  between: z.object({ input: name(1), output: name(1) }),
  /** What probabilities are computed with; absent where none was fitted. */
  temperature: positive(1000).optional(),
  /** Confidence below which the answer is "none of these"; absent where none is kept. */
  threshold: between(0, 1.01).optional(),
  trainedOn: z.object({ run: name(), folder: text(1000), method: name(), epoch: z.number().min(0) }),
  /** Measured where the precision is lower than the checkpoint's; absent where the validation images were not at hand. */
  accuracy: exportAccuracySchema.optional(),
  /** How far a probability may be from what is expected. */
  tolerance: between(0, 1),
});
export type ExportForm = z.infer<typeof exportFormSchema>;

/** More than are ever written. */
const mostTests = 1000;
const longestSide = 8192;
/** Of an image in base64. */
const mostText = 64 * 2 ** 20;

/** An image and what comes of it. */
export const exportTestSchema = z.object({
  kind: z.enum(['validation', 'synthetic']),
  width: whole(1, longestSide),
  height: whole(1, longestSide),
  /** `[height, width, 3]`, 8 bits, compressed by zlib, in base64. */
  pixels: text(mostText, 1),
  probabilities: list(between(0, 1), mostClasses),
});
export type ExportTest = z.infer<typeof exportTestSchema>;

export const exportTestsSchema = list(exportTestSchema, mostTests);

/** The file of a folder for TensorFlow.js that holds its proof. */
export const proofFile = 'proof.json';

/** What proves a folder: the SHA-256 of each of its other files, and its test images with what comes of them. */
export const folderProofSchema = z.object({
  version: z.literal(1),
  files: z.record(text(255, 1), z.string().regex(/^[0-9a-f]{64}$/u)),
  /** As of an ONNX file. */
  threshold: between(0, 1.01).optional(),
  tolerance: between(0, 1),
  tests: exportTestsSchema,
  /** SHA-256 of the others as JSON. */
  digest: z.string().regex(/^[0-9a-f]{64}$/u),
});
export type FolderProof = z.infer<typeof folderProofSchema>;
