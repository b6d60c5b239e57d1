import type { Sample } from '../benchCase.ts';

/** Prints what our side measured, as the harness reads it. */
export function report(figures: Sample['figures']): void {
  console.log(JSON.stringify({ figures } satisfies Sample));
}

/** Highest memory of this process so far, in MiB. */
export function peakMebibytes(): number {
  return process.resourceUsage().maxRSS / 1024;
}

/** Processor time of this process so far, all threads together, in seconds. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
