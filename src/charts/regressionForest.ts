/** A tree, its nodes by their numbers, of which 0 is the root. */
interface Tree {
  /** The column that a node splits; -1 for a leaf. */
  readonly column: number[];
  /** Rows up to it go below; of a leaf, the mean of the rows that fell there. */
  readonly threshold: number[];
  readonly below: number[];
  readonly above: number[];
}

/** Numbers of each row, a list per column, and what is to be predicted of it. */
export interface Samples {
  readonly columns: readonly Float64Array[];
  readonly targets: Float64Array;
}

/** Predicts a number from columns of numbers. */
export interface Forest {
  /** Predictions for rows given as columns. */
  readonly predict: (columns: readonly Float64Array[]) => Float64Array;
  /**
   * R² of the rows that it grew from, each predicted by the trees that did not have it; undefined where the targets are all
   * the same.
   */
  readonly outOfBagScore: number | undefined;
}

/**
 * A random forest for regression (Breiman 2001) with the defaults of scikit-learn: each tree grows on a bootstrap sample
 * until its leaves are pure, with the split of least squared error over all columns.
 */
export function growForest(samples: Samples, trees: number, random: () => number): Forest {
  const { columns, targets } = samples;
  const count = targets.length;
  const orders = ordersOf(columns, count);
  const sums = new Float64Array(count);
  const votes = new Float64Array(count);
  const grown = Array.from({ length: trees }, () => {
    const weights = new Float64Array(count);
    for (let draw = 0; draw < count; draw++) add(weights, Math.floor(random() * count), 1);
    const drawn = orders.map((order) => order.filter((row) => weights[row] !== 0));
    const tree = grownTree(samples, weights, drawn, random);
    for (let row = 0; row < count; row++) {
      if (weights[row] !== 0) continue;
      add(sums, row, predictRow(tree, columns, row));
      add(votes, row, 1);
    }
    return tree;
  });
  const predict = (given: readonly Float64Array[]) =>
    Float64Array.from({ length: given[0]?.length ?? 0 }, (_, row) => {
      let sum = 0;
      for (const tree of grown) sum += predictRow(tree, given, row);
      return sum / grown.length;
    });
  const left = Int32Array.from(targets.keys()).filter((row) => votes[row] !== 0);
  const outOfBagScore = determination(
    Float64Array.from(left, (row) => at(targets, row)),
    Float64Array.from(left, (row) => at(sums, row) / at(votes, row)),
  );
  return { predict, outOfBagScore };
}

/** A single tree on all rows, each with the same weight: scikit-learn's `DecisionTreeRegressor`. */
export function growTree(samples: Samples): Pick<Forest, 'predict'> {
  const count = samples.targets.length;
  const tree = grownTree(samples, new Float64Array(count).fill(1), ordersOf(samples.columns, count), () => 0);
  return {
    predict: (columns) =>
      Float64Array.from({ length: columns[0]?.length ?? 0 }, (_, row) => predictRow(tree, columns, row)),
  };
}

function grownTree(samples: Samples, weights: Float64Array, orders: readonly Int32Array[], random: () => number): Tree {
  const tree: Tree = { column: [], threshold: [], below: [], above: [] };
  grow(tree, samples, weights, orders, random);
  return tree;
}

/** R², the share of the targets' variance that predictions explain; undefined where they have none. */
export function determination(targets: Float64Array, predicted: Float64Array): number | undefined {
  const mean = targets.reduce((sum, target) => sum + target, 0) / targets.length;
  let [error, variance] = [0, 0];
  for (const [row, target] of targets.entries()) {
    error += (target - at(predicted, row)) ** 2;
    variance += (target - mean) ** 2;
  }
  return variance > 0 ? 1 - error / variance : undefined;
}

/** The rows in the order of each column. */
function ordersOf(columns: readonly Float64Array[], count: number): Int32Array[] {
  return columns.map((column) =>
    Int32Array.from({ length: count }, (_, row) => row).sort((a, b) => at(column, a) - at(column, b)),
  );
}

/**
 * Adds the part of the tree that holds some rows, `orders` having them sorted by each column; returns the number of its
 * root. Of equally good splits that of any column is taken.
 */
function grow(
  tree: Tree,
  samples: Samples,
  weights: Float64Array,
  orders: readonly Int32Array[],
  random: () => number,
): number {
  const split = bestSplit(samples, weights, orders, Math.floor(random() * orders.length));
  const node = tree.column.push(split.column) - 1;
  tree.threshold.push(split.threshold);
  tree.below.push(0);
  tree.above.push(0);
  if (split.column < 0) return node;
  const values = samples.columns[split.column] ?? new Float64Array();
  const part = (isBelow: boolean) => {
    const own = orders.map((order) => order.filter((row) => at(values, row) <= split.threshold === isBelow));
    return grow(tree, samples, weights, own, random);
  };
  tree.below[node] = part(true);
  tree.above[node] = part(false);
  return node;
}

/** Squared errors that differ by less than this share are the same but for rounding. */
const leastGain = 1e-12;

/** The split that lowers the squared error most, the columns tried from `first` on, or a leaf where none does. */
function bestSplit(
  { columns, targets }: Samples,
  weights: Float64Array,
  orders: readonly Int32Array[],
  first: number,
): { readonly column: number; readonly threshold: number } {
  let [count, sum, squares] = [0, 0, 0];
  for (const row of orders[0] ?? []) {
    const [weight, target] = [at(weights, row), at(targets, row)];
    count += weight;
    sum += weight * target;
    squares += weight * target * target;
  }
  let best = { column: -1, threshold: sum / count };
  let most = sum ** 2 / count + leastGain * squares;
  for (let turn = 0; turn < orders.length; turn++) {
    const column = (first + turn) % orders.length;
    const [values, order] = [columns[column], orders[column]];
    if (!values || !order) continue;
    let [below, sumBelow] = [0, 0];
    for (let place = 0; place + 1 < order.length; place++) {
      const row = order[place] ?? 0;
      const weight = at(weights, row);
      below += weight;
      sumBelow += weight * at(targets, row);
      const low = at(values, row);
      const high = at(values, order[place + 1] ?? 0);
      if (low === high) continue;
      const explained = sumBelow ** 2 / below + (sum - sumBelow) ** 2 / (count - below);
      if (explained <= most) continue;
      most = explained;
      // Between two neighbouring numbers there is none: their mean may be the higher one, which would split nothing.
      const middle = (low + high) / 2;
      best = { column, threshold: middle < high ? middle : low };
    }
  }
  return best;
}

function predictRow({ column, threshold, below, above }: Tree, columns: readonly Float64Array[], row: number): number {
  let node = 0;
  for (;;) {
    const split = column[node] ?? -1;
    const limit = threshold[node] ?? 0;
    if (split < 0) return limit;
    const values = columns[split];
    node = (values !== undefined && at(values, row) <= limit ? below[node] : above[node]) ?? 0;
  }
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}

function add(values: Float64Array, index: number, amount: number): void {
  values[index] = at(values, index) + amount;
}
