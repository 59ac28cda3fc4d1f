import type { Column } from '../../lake/query/process.ts'
import type { QueryValue } from '../../lake/query/values.ts'
import { textTable } from '../help.ts'
import { textWidth } from '../text-width.ts'

const NUMBER = /^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|BIGNUM|DECIMAL.*)$/

/**
 * The rows of an answer for a person: as a table, or where that is wider than the terminal as a list of each row's values; null: there is
 * no terminal.
 */
export function queryTable(
  columns: readonly Column[],
  rows: readonly (readonly QueryValue[])[],
  terminalColumns: number | null,
): string {
  const names = columns.map(({ name }) => shownText(name))
  const shown = rows.map((row) => row.map(shownValue))
  const table = textTable(
    [names, ...shown],
    columns.map(({ type }) => NUMBER.test(type)),
  )
  if (rows.length === 0) return `${table}(no rows)\n`
  const isFitting = (line: string) => terminalColumns === null || textWidth(line) <= terminalColumns
  if (table.split('\n').every(isFitting)) return table
  return shown
    .map((row, i) => `row ${i + 1}\n${textTable(row.map((value, c) => [`  ${names[c]}`, value]))}`)
    .join('\n')
}

function shownValue(value: QueryValue): string {
  if (value === null) return 'NULL'
  return shownText(typeof value === 'object' ? JSON.stringify(value) : String(value))
}

/** Without what would move the cursor or change the terminal. */
function shownText(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (control) =>
    control < ' '
      ? JSON.stringify(control).slice(1, -1)
      : `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
