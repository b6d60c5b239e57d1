/** A label that the data contradicts. */
export interface LabelIssue {
  /** Row of the image. */
  readonly row: number;
  /** The class that it likelier is. */
  readonly likely: number;
  /** From 0 to 1, the surest first: 1 less the probability of its own label (self-confidence). */
  readonly score: number;
  /** Whether confident learning counts it: of all issues about the first of so many are wrong labels. */
  readonly isCounted: boolean;
}

/**
 * Finds labels that out-of-fold probabilities `[rows, classes]` contradict: every row for which another class is likelier
 * than its label, the surest first. They are ranked by self-confidence, as
 * cleanlab's `get_label_quality_scores(method='self_confidence')`, and counted by confident learning (Northcutt, Jiang and
 * Chuang 2021), as its `find_label_issues(filter_by='confident_learning')`: an image counts for the likeliest of the
 * classes whose probability reaches what that class's own images have on average. Rows with the label -1 are left out.
 */
export function labelIssues(probabilities: Float32Array, labels: Int32Array, classes: number): LabelIssue[] {
  const thresholds = classThresholds(probabilities, labels, classes);
  const issues: LabelIssue[] = [];
  labels.forEach((label, row) => {
    if (label < 0) return;
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    const likely = likeliest(own, () => true);
    if (likely === label) return;
    const confident = likeliest(own, (probability, index) => probability >= (thresholds[index] ?? 0));
    issues.push({ row, likely, score: 1 - (own[label] ?? 0), isCounted: confident >= 0 && confident !== label });
  });
  return issues.sort((a, b) => b.score - a.score || a.row - b.row);
}

function likeliest(probabilities: Float32Array, counts: (probability: number, index: number) => boolean): number {
  let best = -1;
  probabilities.forEach((probability, index) => {
    if (counts(probability, index) && (best < 0 || probability > (probabilities[best] ?? 0))) best = index;
  });
  return best;
}

/** The mean probability that a class's own images have for it; 2, which nothing reaches, for a class without any. */
function classThresholds(probabilities: Float32Array, labels: Int32Array, classes: number): Float64Array {
  const [sums, counts] = [new Float64Array(classes), new Float64Array(classes)];
  labels.forEach((label, row) => {
    if (label < 0) return;
    sums[label] = (sums[label] ?? 0) + (probabilities[row * classes + label] ?? 0);
    counts[label] = (counts[label] ?? 0) + 1;
  });
  // Means of rounded numbers: their rounding is not to decide.
  return sums.map((sum, index) => ((counts[index] ?? 0) > 0 ? sum / (counts[index] ?? 1) - 1e-6 : 2));
}
