import { createRandom, permutation } from '../graph/random.ts';
import type { Placement } from '../inference/graphClassifier.ts';
import { type FeatureRows, type HeadTraining, scoreSoftmaxHead, trainSoftmaxHead } from './softmaxHead.ts';

/**
 * Which fold each row belongs to, drawn by seed so that every fold has its share of each class; -1 for rows with the
 * label -1.
 */
export function stratifiedFolds(labels: Int32Array, folds: number, seed: number): Int32Array {
  const byClass = new Map<number, number[]>();
  labels.forEach((label, row) => {
    if (label < 0) return;
    const rows = byClass.get(label);
    if (rows) rows.push(row);
    else byClass.set(label, [row]);
  });
  const found = new Int32Array(labels.length).fill(-1);
  let next = 0;
  for (const [label, rows] of [...byClass].sort(([a], [b]) => a - b)) {
    // Classes begin at the fold at which the last one ended, so that small classes do not all fill the first folds.
    for (const place of permutation(rows.length, createRandom(seed, 'folds', label))) {
      found[rows[place] ?? 0] = next++ % folds;
    }
  }
  return found;
}

/**
 * Probabilities `[rows, classes]` of every labelled row by a head that was trained on the other folds; zeros for rows with
 * the label -1. `onFold` hears of each that is done.
 */
export async function outOfFoldProbabilities(
  rows: FeatureRows,
  labels: Int32Array,
  folds: number,
  options: HeadTraining,
  placement: Placement,
  onFold: (done: number) => void = () => undefined,
): Promise<Float32Array> {
  const { classes, seed } = options;
  const foldOf = stratifiedFolds(labels, folds, seed);
  const places = (keep: (fold: number) => boolean) =>
    Uint32Array.from([...foldOf.keys()].filter((row) => keep(foldOf[row] ?? -1)));
  const probabilities = new Float32Array(labels.length * classes);
  for (let fold = 0; fold < folds; fold++) {
    const held = places((own) => own === fold);
    const trained = places((own) => own >= 0 && own !== fold);
    if (held.length > 0 && trained.length > 0) {
      const head = await trainSoftmaxHead(rows, labels, trained, options, placement);
      const scored = await scoreSoftmaxHead(rows, held, head, classes, placement);
      held.forEach((row, at) => probabilities.set(scored.subarray(at * classes, (at + 1) * classes), row * classes));
    }
    onFold(fold + 1);
  }
  return probabilities;
}
