/** Rows as CSV (RFC 4180), the names of `columns` first. Numbers have a dot and no thousands mark. */
export function toCsv(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, string | number>>[],
): string {
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]!))]
  return lines.map((line) => `${line.map(field).join(',')}\r\n`).join('')
}

function field(value: string | number): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
