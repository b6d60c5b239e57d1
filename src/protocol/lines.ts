/**
 * Takes text piece by piece and hands on its lines, but for blank ones. Of a line of more than `longest` characters only
 * the beginning is kept: `onOverlong` gets that, once, and what follows counts as a new line.
 */
export function lineSplitter(
  longest: number,
  onLine: (line: string) => void,
  onOverlong: (beginning: string) => void,
): (piece: string) => void {
  let rest = '';
  return (piece) => {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longest) {
      lines.push(rest);
      rest = '';
    }
    for (const line of lines) {
      if (line.length > longest) onOverlong(line.slice(0, longest));
      else if (line.trim() !== '') onLine(line);
    }
  };
}
