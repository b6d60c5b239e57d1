import type { Sample } from '../benchCase.ts';
import { median } from '../result.ts';

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

/** Runs before those that count. */
const warmUps = 2;

/** Images a second by the median of `count` runs over `batchSize` images, the least processor time of one, and the peak memory. */
export async function timed(count: number, batchSize: number, run: () => Promise<unknown>): Promise<Sample['figures']> {
  const [seconds, processor]: [number[], number[]] = [[], []];
  for (let index = 0; index < count + warmUps; index++) {
    const [start, used] = [performance.now(), processorSeconds()];
    await run();
    seconds.push((performance.now() - start) / 1000);
    processor.push(processorSeconds() - used);
  }
  return {
    speed: batchSize / median(seconds.slice(warmUps)),
    processor: Math.min(...processor.slice(warmUps)),
    memory: peakMebibytes(),
  };
}
