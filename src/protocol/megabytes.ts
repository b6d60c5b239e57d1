/** A size in megabytes of 10⁶ bytes, as downloads are counted, one at least. */
export function wholeMegabytes(bytes: number): number {
  return Math.max(1, Math.round(bytes / 1e6));
}

/** The same for people, in English. */
export function megabytes(bytes: number): string {
  return `${wholeMegabytes(bytes)} MB`;
}
