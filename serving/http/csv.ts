/** Text that a spreadsheet would take for a formula; some take the wide characters of East Asia alike, or leave blanks out. */
const FORMULA = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/

/**
 * One line of CSV (RFC 4180), its end included. Numbers have a dot and no thousands mark, objects and lists are JSON, what is
 * absent is empty. A text that a spreadsheet would execute (its first character but blanks is `=`, `+`, `-` or `@`, or it begins
 * with a tab or the end of a line) gets an apostrophe in front.
 */
export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(field).join(',')}\r\n`
}

/** Objects and lists are written as JSON. */
type CsvValue = string | number | boolean | null | object

function field(value: CsvValue): string {
  const text = plain(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function plain(value: CsvValue): string {
  if (value === null) return ''
  if (typeof value === 'string') return FORMULA.test(value) ? `'${value}` : value
  return typeof value === 'number' ? String(value) : JSON.stringify(value)
}
