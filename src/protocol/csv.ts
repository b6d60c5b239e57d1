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
