import type { ClassLabel } from '../../../src/protocol/checkpointMetadata.ts';
import { presetConstants } from '../../../src/protocol/preprocessing.ts';
import type { Classifier } from '../../../src/ml/inference/classifier.ts';
import { float32Tensor } from '../../../src/ml/graph/tensor.ts';

/** Classes as the report's folders have them: sorted as text, so that index and folder differ. */
export const labels: readonly ClassLabel[] = [
  { index: 0, folder: '1', name: 'red' },
  { index: 1, folder: '10', name: 'green' },
  { index: 2, folder: '100', name: 'blue' },
];

export const cropSize = 8;

/**
 * A classifier whose probabilities are the shares of red, green and blue in the crop, which a test can work out by hand.
 * `batches` collects the sizes of what it was given.
 */
export function colourClassifier(batches: number[] = []): Classifier {
  return {
    title: 'colours',
    labels,
    preprocessing: { resize: 16, crop: cropSize, ...presetConstants('imagenet') },
    runsOn: { engine: 'none', device: 'cpu' },
    probabilities: ({ shape, data }) => {
      const [count = 0, , height = 0, width = 0] = shape;
      batches.push(count);
      const plane = height * width;
      const sums = Float32Array.from({ length: count * 3 }, (_, index) =>
        data.subarray(index * plane, (index + 1) * plane).reduce((sum, value) => sum + value, 0),
      );
      const shares = sums.map((sum, index) => {
        const row = index - (index % 3);
        return sum / ((sums[row] ?? 0) + (sums[row + 1] ?? 0) + (sums[row + 2] ?? 0));
      });
      return Promise.resolve(float32Tensor([count, 3], shares));
    },
    dispose: () => Promise.resolve(),
  };
}
