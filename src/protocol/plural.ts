/** `1 file`, `2 files`. `many` for words that take more than an s. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
