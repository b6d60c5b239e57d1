/** What a line says that `fivecrop` writes to standard error, where each of its own begins with its name. */
export function commandSentence(line: string): string {
  return line.replace(/^fivecrop: /u, '');
}
