import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import type { ConfidenceCalibration } from '../../protocol/confidenceCalibration.ts';
import { userError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import type { ClassScores } from '../onnx/foreign/featuresAndScores.ts';
import { float32Tensor, type Tensor } from '../graph/tensor.ts';
import type { Classifier } from './classifier.ts';
import { openForeignModel } from './foreignModel.ts';
import { probabilitiesFrom, type Placement } from './graphClassifier.ts';
import { normalizeImages } from './normalizeImages.ts';

export interface ScoresClassifierOptions {
  readonly file: string;
  readonly scores: ClassScores;
  readonly preprocessing: Preprocessing;
  /** Without that of a background class. */
  readonly labels: readonly ClassLabel[];
  /** What was fitted to its confidence. */
  readonly calibration?: ConfidenceCalibration | undefined;
}

/** An ONNX file's own class scores as a classifier. A background class is left out; nothing is scaled up for it. */
export async function createScoresClassifier(
  { file, scores, preprocessing, labels, calibration }: ScoresClassifierOptions,
  placement: Placement,
): Promise<Classifier> {
  const model = await openForeignModel(file, scores, scores.classes, placement);
  return {
    title: file,
    labels,
    preprocessing,
    calibration,
    runsOn: { engine: placement.engine.name, device: placement.device },
    probabilities: async (images) => {
      const output = await model.run(normalizeImages(images, preprocessing));
      const all = scores.probabilities
        ? checkedProbabilities(file, output)
        : probabilitiesFrom(file, output, scores.classes);
      return scores.background ? withoutFirstColumn(all) : all;
    },
    dispose: () => model.dispose(),
  };
}

/** How far the sum of a file's own probabilities may be from 1: those of half precision are rounded. */
const roundedSum = 0.02;

function checkedProbabilities(file: string, rows: Tensor & { readonly dtype: 'float32' }) {
  const [count = 0, classes = 0] = rows.shape;
  for (let row = 0; row < count; row++) {
    const values = rows.data.subarray(row * classes, (row + 1) * classes);
    const sum = values.reduce((total, value) => total + value, 0);
    if (Math.abs(sum - 1) > roundedSum || values.some((value) => value < 0)) {
      throw userError(
        `${file} gives probabilities that add up to ${sum.toFixed(2)} instead of 1: export it without its softmax.`,
      );
    }
  }
  return rows;
}

function withoutFirstColumn({ shape, data }: Tensor & { readonly dtype: 'float32' }) {
  const [rows = 0, columns = 0] = shape;
  const kept = float32Tensor([rows, columns - 1]);
  for (let row = 0; row < rows; row++) {
    kept.data.set(data.subarray(row * columns + 1, (row + 1) * columns), row * (columns - 1));
  }
  return kept;
}
