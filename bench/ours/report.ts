import type { Sample } from '../benchCase.ts';

/** Prints what our side measured, as the harness reads it. */
export function report(figures: Sample['figures']): void {
  console.log(JSON.stringify({ figures } satisfies Sample));
}

/** Highest memory of this process so far, in MiB. */
export function peakMebibytes(): number {
  return process.resourceUsage().maxRSS / 1024;
}
