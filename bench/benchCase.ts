/** Packages that peers use and not every Python with torch has. */
export const packages = ['ultralytics', 'sklearn'] as const;
export type Package = (typeof packages)[number];

/** A process that measures one side of a case. Its last line on standard output is a `Sample` as JSON. */
export interface Side {
  /** A file below bench/: TypeScript runs in Node, Python in the interpreter that `PYTHON` names. */
  readonly script: string;
  readonly args: readonly (string | number)[];
  /** What a Python must have beside torch and torchvision: with torch 2 come `torch.compile` and the transforms v2. */
  readonly needs?: 'torch 2' | Package;
}

/** What one process measured: a number for each of the case's figures, by its key, and what it ran on. */
export interface Sample {
  readonly figures: Readonly<Record<string, number>>;
  readonly versions?: Readonly<Record<string, string>>;
}

/** One row of the README's table. */
export interface FigureSpec {
  readonly key: string;
  /** The work, as the table names it. */
  readonly title: string;
  readonly unit: 'images/s' | 'MiB' | 's' | 'ms';
  readonly better: 'more' | 'less';
  /**
   * What is aimed at. With a peer it is a ratio, ours to the peer's where more is better or where the unit is memory,
   * and the peer's time to ours for seconds; without one it is our own figure. Absent where nothing is.
   */
  readonly goal?: number;
  /** Whether the peers do not measure this one, so that the goal is our own figure. */
  readonly alone?: true;
  /** Floating-point operations of one image, or of what a time is of, to tell how far the figure is from the machine's limit. */
  readonly operations?: number;
  /** Those of the peers, where they are others. */
  readonly peerOperations?: number;
  /** Whether ours computes them in 8 bits: its limit is then the rate of a product of bytes. */
  readonly int8?: true;
}

/** A case: a file in bench/cases that exports one as `benchCase`. Its name is the file's. */
export interface BenchCase {
  /** Why the case cannot be measured here, as one sentence; the others then go on. */
  readonly unavailable?: string;
  /** What exactly is timed, in a sentence or two; it goes into the result's file. */
  readonly how: string;
  /** Makes the files that both sides read. */
  readonly prepare?: () => Promise<void>;
  /** How often the sides take turns. */
  readonly rounds: number;
  readonly figures: readonly FigureSpec[];
  readonly ours: Side;
  /**
   * Variants of the peer, each run by every Python that `PYTHON` names; the one that does best is what ours is compared
   * with. Empty if there is none. Ours with other arguments is a peer too, if the question is what they change.
   */
  readonly peers: Readonly<Record<string, Side>>;
}
