import type { FigureSpec, Sample } from './benchCase.ts';

/** A ratio or a figure over the rounds. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The samples of a case, a list a side, in the order of the rounds. */
export interface Samples {
  readonly ours: readonly Sample[];
  readonly peers: Readonly<Record<string, readonly Sample[]>>;
}

/** One row, measured. */
export interface FigureResult extends FigureSpec {
  readonly ours: readonly number[];
  readonly peers: Readonly<Record<string, readonly number[]>>;
  /** The variant of the peer that did best; absent where there is none. */
  readonly peer?: string;
  /** Ours beside that variant, round by round: above 1 ours is faster, or, for memory, larger. */
  readonly ratio?: Spread & { readonly rounds: readonly number[] };
  /** Share of the machine's limit, a large product's rate in the same run, that ours reaches. */
  readonly ofLimit?: number;
  readonly peerOfLimit?: number;
}

/** The content of bench/results/MACHINE/NAME.json. */
export interface BenchResult {
  readonly name: string;
  readonly how: string;
  readonly measured: string;
  readonly machine: {
    readonly cpu: string;
    /** Its family and model, where they are known: one name of a processor stands for several. */
    readonly model?: string;
    /** Its widest vectors, where they are known. */
    readonly vectors?: 'AVX2' | 'AVX-512';
    /** The graphics card, where it is what was measured. */
    readonly card?: string;
    readonly cores: number;
    readonly memoryMebibytes: number;
    /** Operations a second of a large float32 product on all cores, before the first round and after the last. */
    readonly productRate: readonly number[];
    /** The same of a product of bytes, where a figure is computed in 8 bits. */
    readonly int8ProductRate?: readonly number[];
  };
  readonly versions: { readonly ours: Record<string, string>; readonly peer: Record<string, string> };
  /** Environment variables that were taken from the peer, so that it runs at its best. */
  readonly unsetForPeer: readonly string[];
  readonly rounds: number;
  readonly figures: readonly FigureResult[];
}

/** The middle value; of an even number the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** The median of some values and how far they reach. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/** The machine's limits: operations a second of large products. */
export type ProductRates = Pick<BenchResult['machine'], 'productRate' | 'int8ProductRate'>;

/** One row of a case from its samples, on a machine of these rates. Throws where a side did not measure it. */
export function figureResult(spec: FigureSpec, samples: Samples, machine: ProductRates): FigureResult {
  const valuesOf = (side: readonly Sample[]) => side.map(({ figures }) => measured(figures, spec.key));
  const ours = valuesOf(samples.ours);
  const compared = Object.entries(spec.alone ? {} : samples.peers);
  const peers = Object.fromEntries(compared.map(([name, side]) => [name, valuesOf(side)]));
  const peer = bestOf(spec, peers);
  const theirs = peer === undefined ? undefined : peers[peer];
  const { operations, peerOperations = operations } = spec;
  const share = (values: readonly number[], count: number, rates: readonly number[] = []) =>
    (perSecond(spec.unit, median(values)) * count) / Math.max(...rates);
  return {
    ...spec,
    ours,
    peers,
    ...(peer === undefined ? {} : { peer }),
    ...(theirs ? { ratio: ratioOf(spec, ours, theirs) } : {}),
    ...(operations === undefined
      ? {}
      : { ofLimit: share(ours, operations, spec.int8 ? machine.int8ProductRate : machine.productRate) }),
    ...(peerOperations === undefined || !theirs
      ? {}
      : { peerOfLimit: share(theirs, peerOperations, machine.productRate) }),
  };
}

/** How often in a second what a time is of is done; a rate is that already. */
function perSecond(unit: FigureSpec['unit'], value: number): number {
  if (unit === 's') return 1 / value;
  return unit === 'ms' ? 1000 / value : value;
}

/** Whether a row reaches what is aimed at. */
export function reachesGoal({ better, unit, goal, ours, ratio }: FigureResult): boolean {
  const value = ratio?.median ?? median(ours);
  if (goal === undefined) return true;
  const upwards = ratio ? unit !== 'MiB' : better === 'more';
  return upwards ? value >= goal : value <= goal;
}

function measured(figures: Sample['figures'], key: string): number {
  const value = figures[key];
  if (value === undefined) throw new Error(`a side did not measure ${key}`);
  return value;
}

function bestOf({ better }: FigureSpec, peers: FigureResult['peers']): string | undefined {
  const sign = better === 'more' ? -1 : 1;
  const ranked = Object.entries(peers).sort(([, a], [, b]) => sign * (median(a) - median(b)));
  return ranked[0]?.[0];
}

function ratioOf({ unit }: FigureSpec, ours: readonly number[], theirs: readonly number[]) {
  const inverted = unit === 's' || unit === 'ms';
  const rounds = ours.map((own, round) => {
    const other = theirs[round] ?? Number.NaN;
    return inverted ? other / own : own / other;
  });
  return { ...spreadOf(rounds), rounds };
}
