/** A table of numbers that grows at its end: what a run's curves are made of, exact and complete. */
export type Columns<Name extends string> = {
  readonly length: number;
  /** Rises whenever rows were taken back, so that whoever derived something from them starts anew. */
  readonly generation: number;
  /** The values so far; a view that later rows may not be seen in. */
  values: (name: Name) => Float64Array;
  append: (row: Readonly<Record<Name, number>>) => void;
  /** Keeps the first `length` rows. */
  truncate: (length: number) => void;
};

const firstCapacity = 256;

/** An empty table with these columns. */
export function growingColumns<Name extends string>(names: readonly Name[]): Columns<Name> {
  const stores = new Map(names.map((name) => [name, new Float64Array(firstCapacity)]));
  let length = 0;
  let generation = 0;
  const store = (name: Name): Float64Array => {
    const found = stores.get(name);
    if (found === undefined) throw new Error(`The table has no column "${name}".`);
    return found;
  };
  const grow = (): void => {
    for (const [name, old] of stores) {
      const wider = new Float64Array(old.length * 2);
      wider.set(old);
      stores.set(name, wider);
    }
  };
  return {
    get length() {
      return length;
    },
    get generation() {
      return generation;
    },
    values: (name) => store(name).subarray(0, length),
    append: (row) => {
      for (const name of names) {
        if (length === store(name).length) grow();
        store(name)[length] = row[name];
      }
      length++;
    },
    truncate: (kept) => {
      if (kept >= length) return;
      length = kept;
      generation++;
    },
  };
}

/** How many of the rising values are at most `limit`. */
export function countUpTo(rising: Float64Array, limit: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] ?? Infinity) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the rising value nearest to `target`; undefined where there is none. */
export function nearest(rising: Float64Array, target: number): number | undefined {
  if (rising.length === 0) return undefined;
  const after = Math.min(countUpTo(rising, target), rising.length - 1);
  const before = Math.max(0, after - 1);
  const distance = (index: number) => Math.abs((rising[index] ?? Infinity) - target);
  return distance(before) <= distance(after) ? before : after;
}
