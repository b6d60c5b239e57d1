export type CsvValue = string | number | undefined;

/**
 * Rows as CSV (RFC 4180): CRLF, quotes where needed. Text that a spreadsheet would run as a formula gets an apostrophe
 * in front, as file names are not ours; also behind a semicolon, at which some spreadsheets begin another cell.
 */
export function csv(rows: readonly (readonly CsvValue[])[]): string {
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function field(value: CsvValue): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const behindSeparators = value.replace(/([;\t\r\n])(?=\s*[=+\-@＝＋－＠])/g, "$1'");
  const safe = /^\s*[=+\-@＝＋－＠]|^[\t\r]/.test(behindSeparators) ? `'${behindSeparators}` : behindSeparators;
  return /[";,\r\n\t]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The rows of a CSV text (RFC 4180), separated by commas; quotes as `csv` writes them. Empty lines are left out. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const fields = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy;
  const content = text.replace(/^\uFEFF/u, '');
  while (fields.lastIndex < content.length) {
    const found = fields.exec(content);
    if (!found) throw new SyntaxError(`a quote is wrong in line ${rows.length + 1}`);
    const [, quoted, plain, end] = found;
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push([...row, '']);
  return rows;
}
