/** How the runs of several seeds compare: their best validation accuracies, the mean, and the deviation of the sample. */
export interface SeedSummary {
  readonly seeds: readonly { readonly seed: number; readonly run: string; readonly bestAccuracy: number }[];
  readonly mean: number;
  readonly deviation: number;
}

export function summariseSeeds(seeds: SeedSummary['seeds']): SeedSummary {
  return { seeds, ...meanAndDeviation(seeds.map(({ bestAccuracy }) => bestAccuracy)) };
}

/** The mean, and the deviation of the sample; 0 for a single value. */
export function meanAndDeviation(values: readonly number[]): Pick<SeedSummary, 'mean' | 'deviation'> {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}

export function seedLine({ seeds, mean, deviation }: SeedSummary): string {
  const each = seeds.map(({ bestAccuracy }) => bestAccuracy.toFixed(3)).join(', ');
  return `Best validation accuracy of ${seeds.length} seeds: ${mean.toFixed(4)} ± ${deviation.toFixed(4)} (${each}).`;
}
