/** The addresses of a `text/uri-list` (RFC 2483), without its comments and empty lines. */
export function droppedUris(list: string): string[] {
  return list
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
