/** How the runs of several seeds compare: their best validation accuracies, the mean, and the deviation of the sample. */
export interface SeedSummary {
  readonly seeds: readonly { readonly seed: number; readonly run: string; readonly bestAccuracy: number }[];
  readonly mean: number;
  readonly deviation: number;
}

export function summariseSeeds(seeds: SeedSummary['seeds']): SeedSummary {
  const mean = seeds.reduce((sum, { bestAccuracy }) => sum + bestAccuracy, 0) / seeds.length;
  const squares = seeds.reduce((sum, { bestAccuracy }) => sum + (bestAccuracy - mean) ** 2, 0);
  return { seeds, mean, deviation: Math.sqrt(squares / Math.max(1, seeds.length - 1)) };
}

export function seedLine({ seeds, mean, deviation }: SeedSummary): string {
  const each = seeds.map(({ bestAccuracy }) => bestAccuracy.toFixed(3)).join(', ');
  return `Best validation accuracy of ${seeds.length} seeds: ${mean.toFixed(4)} ± ${deviation.toFixed(4)} (${each}).`;
}
