/** A size for people: megabytes of 10⁶ bytes, as downloads are counted. */
export function megabytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}
