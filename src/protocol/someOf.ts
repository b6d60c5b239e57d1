/** Up to `most` names of a list that may be of any length, and how many more there are: `a, b, c and 7 more`. */
export function someOf(names: readonly string[], most = 3, separator = ', '): string {
  const rest = names.length - most;
  return names.slice(0, most).join(separator) + (rest > 0 ? ` and ${rest} more` : '');
}
