/** CSS colours that charts are drawn with. */
export type ChartColors = {
  foreground: string;
  muted: string;
  background: string;
  grid: string;
  /** Distinct colours for curves. */
  curves: readonly string[];
};
