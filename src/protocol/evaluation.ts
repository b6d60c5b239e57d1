import * as z from 'zod';
import { between, count, list, mostClasses, mostImages, name, path, sentence, whole } from './bounded.ts';
import { usedTemperatureSchema } from './confidenceCalibration.ts';
import { keptProbabilitiesSchema } from './keptProbabilities.ts';
import { fits } from './preprocessing.ts';

const classIndex = whole(-1, mostClasses - 1);
const share = between(0, 1);
/** A sum of rounded numbers may be a little more than 1. */
const probability = between(0, 1.01);

export const classResultSchema = z.object({
  index: classIndex,
  folder: name(),
  name: name(),
  images: count(),
  /** Share of the class's images that are predicted right (recall); 0 for a class that is predicted and has none. */
  accuracy: share,
});

/** One image that was predicted wrong or with doubt, for the lists of confusions and of suspected mislabels. */
export const imageResultSchema = z.object({
  image: path(),
  actual: classIndex,
  predicted: classIndex,
  probability,
  /** Probability of the class that the folder says. */
  actualProbability: probability,
  /** How the image looks: its size in pixels, and of its centre crop what `measureQuality` says. Absent in results of earlier versions. */
  look: z
    .object({ width: count(), height: count(), sharpness: between(0, 2000), brightness: between(0, 256) })
    .optional(),
});

/** How the images of an evaluation were chosen. */
export const selectionSchema = z.object({
  /**
   * `run`: by the split that the run drew. `folders`: by those of the folder. `all`: every image. `shares`: by a split that
   * flags asked for. `drawn`: by one drawn again as an old run drew it.
   */
  chosenBy: z.enum(['run', 'folders', 'all', 'shares', 'drawn']),
  /** Whether it is known which images the checkpoint was trained on. */
  knowsTraining: z.boolean(),
  /** Images that were left out since the run had trained on them or chosen by them. */
  alreadyUsed: count(),
  /** What a reader of the figures should know, in sentences. */
  notes: list(sentence(), 100),
});

const fieldsSchema = z.object({
  version: z.literal(1),
  checkpoint: path(),
  data: path(),
  split: name(),
  cropCount: z.union([z.literal(1), z.literal(5)]),
  /** How an image became the square that the network sees. Absent in results of earlier versions. */
  fit: z.enum(fits).optional(),
  images: count(),
  /** Images that could not be decoded and are not counted. */
  leftOut: count(),
  /** Which they are, and why; absent in results of earlier versions. */
  leftOutImages: z
    .array(z.object({ image: path(), reason: sentence() }))
    .max(mostImages)
    .optional(),
  /** Mean negative logarithm of the probability of an image's own class. */
  loss: z.number(),
  accuracy: share,
  top5: share,
  /** Brier score, from 0 to 2: the squared distance of the probabilities from the truth, summed over classes, mean over images. Absent in results of earlier versions. */
  brier: between(0, 2.1).optional(),
  /** What the probabilities were computed with; absent where the checkpoint has none. */
  temperature: usedTemperatureSchema.optional(),
  perClass: list(classResultSchema, mostClasses),
  /** `[actual][predicted]` counts as a sparse list `[actual, predicted, count]`. */
  confusion: list(z.tuple([classIndex, classIndex, count()]), mostImages),
  results: list(imageResultSchema, mostImages),
  /** Absent in results of earlier versions, and where they are more than are kept. */
  probabilities: keptProbabilitiesSchema.optional(),
  /** Absent in results of earlier versions. */
  selection: selectionSchema.optional(),
  time: name(),
});
export type Evaluation = z.infer<typeof fieldsSchema>;

/** A result for whoever reads it, or does not need each probability: they are most of it. */
export function withoutProbabilities(evaluation: Evaluation): Evaluation {
  return { ...evaluation, probabilities: undefined };
}

/** What `test` says of a checkpoint on a split. Counts that contradict each other are refused. */
export const evaluationSchema = fieldsSchema.refine(countsAgree, 'its counts contradict each other');

/** Whether the confusions are those of as many images as were tested, each pair once, and of the accuracy that is told. */
function countsAgree({ images, accuracy, confusion, results }: Evaluation): boolean {
  const pairs = new Set<number>();
  let [all, right] = [0, 0];
  for (const [actual, predicted, cell] of confusion) {
    pairs.add(actual * (mostClasses + 1) + predicted);
    all += cell;
    if (actual === predicted) right += cell;
  }
  const told = Math.round(accuracy * images);
  return pairs.size === confusion.length && all === images && right === told && results.length <= images;
}

/**
 * The file beside a checkpoint that keeps an evaluation: `best.safetensors` ->
 * `best.test-5.flowers-1a2b3c4d.evaluation.json` for five crops of the test images of `flowers`, whose path is in the last
 * eight characters. A later one of the same kind takes its place.
 */
export function evaluationPath(evaluation: Pick<Evaluation, 'checkpoint' | 'data' | 'split' | 'cropCount'>): string {
  const { checkpoint, data, split, cropCount } = evaluation;
  const folder = data.replace(/[\\/]+$/u, '').replace(/^.*[\\/]/u, '');
  const readable = folder.replaceAll(/[^\p{L}\p{N}_-]+/gu, '_').slice(0, 40);
  return `${stemOf(checkpoint)}.${split}-${cropCount}.${readable}-${hashOf(data)}.evaluation.json`;
}

/** Whether a file keeps an evaluation of a checkpoint beside it; earlier versions left out which data it is of. */
export function isEvaluationOf(checkpoint: string, file: string): boolean {
  const stem = `${stemOf(checkpoint)}.`;
  return file.startsWith(stem) && /^\w+-[15](?:\.[^.]+)?\.evaluation\.json$/u.test(file.slice(stem.length));
}

function stemOf(checkpoint: string): string {
  return checkpoint.replace(/\.safetensors$/u, '');
}

/** FNV-1a of 32 bits: protocol runs in pages too, which have no hash that answers at once. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
