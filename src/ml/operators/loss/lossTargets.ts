import { float32Tensor, type Tensor } from '../../graph/tensor.ts';

export interface TargetOptions {
  readonly classes: number;
  /** Share of the target that is spread over all classes. */
  readonly labelSmoothing: number;
  /** Weight of each class; all 1 without it. */
  readonly classWeights?: Float64Array;
}

/**
 * Rows of loss targets `[N, classes]`, such that `-sum(targets * log-probabilities)` is torch's CrossEntropyLoss with
 * `weight`, `label_smoothing` and `reduction='mean'` over these N images: row n holds
 * `((1 - s) * w[y] * onehot + s / classes * w) / sum of w[y] over the images`.
 * The divisor belongs to the whole batch, so rows may be cut into micro-batches whose losses and gradients add up. With
 * an own share below 1, each image is mixed with the one before it (see `mixImages`), and so is its target.
 */
export function lossTargets(labels: Int32Array, options: TargetOptions, ownShare = 1): Tensor & { dtype: 'float32' } {
  const { classes, labelSmoothing, classWeights } = options;
  for (const label of labels) {
    if (label < 0 || label >= classes) throw new RangeError(`label ${label} is not one of ${classes} classes`);
  }
  if (ownShare < 1) return mixedTargets(labels, options, ownShare);
  const weightOf = (index: number) => classWeights?.[index] ?? 1;
  const divisor = labels.reduce((sum, label) => sum + weightOf(label), 0);
  const spread = (column: number) => (labelSmoothing / classes) * weightOf(column);
  const others = Float32Array.from({ length: classes }, (_, column) => spread(column) / divisor);
  const data = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    data.set(others, row * classes);
    data[row * classes + label] = ((1 - labelSmoothing) * weightOf(label) + spread(label)) / divisor;
  });
  return float32Tensor([labels.length, classes], data);
}

/** torch's loss for targets that are probabilities: row n holds `((1 - s) * y + s / classes) * w / N`. */
function mixedTargets(
  labels: Int32Array,
  { classes, labelSmoothing, classWeights }: TargetOptions,
  ownShare: number,
): Tensor & { dtype: 'float32' } {
  const targetOf = (column: number, share: number) => {
    const target = (1 - labelSmoothing) * share + labelSmoothing / classes;
    return (target * (classWeights?.[column] ?? 1)) / labels.length;
  };
  const others = Float32Array.from({ length: classes }, (_, column) => targetOf(column, 0));
  const data = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    const neighbour = labels.at(row - 1) ?? label;
    data.set(others, row * classes);
    for (const column of [label, neighbour]) {
      const share = Number(column === label) * ownShare + Number(column === neighbour) * (1 - ownShare);
      data[row * classes + column] = targetOf(column, share);
    }
  });
  return float32Tensor([labels.length, classes], data);
}
