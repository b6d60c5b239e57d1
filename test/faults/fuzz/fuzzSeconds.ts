/** Processor seconds that a mutant may take: no whole sample takes one. */
export const fuzzSeconds = 10;
