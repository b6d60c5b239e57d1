import { availableParallelism, cpus, totalmem } from 'node:os';

const gigabyte = 2 ** 30;

/** The machine in words: its processor, how many threads it runs at once, and its memory. */
export function machineText(): string {
  const processor = (cpus()[0]?.model.trim() ?? process.arch) || process.arch;
  return `${processor}, ${availableParallelism()} threads, ${Math.round(totalmem() / gigabyte)} GB`;
}
