import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CellValue } from '../../../schemas/cell-column.ts'
import { CellFold } from '../../../schemas/cell-fold.ts'
import { type Cells, rowAt } from '../../../schemas/cells.ts'
import { host } from '../../../schemas/datasets/host.ts'
import { toColumns } from '../../../schemas/message.ts'
import { defineView } from '../../../schemas/view.ts'
import { viewColumns } from '../../../schemas/view-columns.ts'
import { serviceMinute } from '../../../schemas/views/service-minute.ts'
import { iso, isoTimes, rounded } from '../../../serving/http/present.ts'
import { rowsJson } from '../../../serving/http/rows-json.ts'
import { nastyMessages, scores } from '../../schemas/nasty-messages.ts'

for (const { dataset, view } of [
  { dataset: host, view: serviceMinute },
  { dataset: scores, view: defineView(scores, { name: 'score_minute', key: ['group'], quantiles: true }) },
]) {
  test(`rows of ${view.name} are written as JSON writes them`, () => {
    fc.assert(
      fc.property(nastyMessages(dataset), (messages) => {
        const fold = new CellFold(view)
        fold.addAll(toColumns(dataset, messages))
        expect([...rowsJson(fold.cells())].join('')).toBe(JSON.stringify(presentRows(fold.cells())))
      }),
    )
  })
}

test('times are written as ISO 8601, in whatever order they come', () => {
  const iso = isoTimes()
  const time = fc.oneof(
    fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
    fc.integer({ min: -130_000, max: 130_000 }),
  )
  fc.assert(
    fc.property(time, (ms) => {
      expect(iso(ms)).toBe(new Date(ms).toISOString())
    }),
  )
})

test('numbers are written with 15 digits', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 1_000),
    fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 1_000 + 0.1),
  )
  fc.assert(
    fc.property(number, (value) => {
      expect(rounded(value)).toBe(Number.isInteger(value) ? value : Number(value.toPrecision(15)))
    }),
    { numRuns: 2_000 },
  )
})

/** A value of a row in JSON. */
type RowValue = string | number | null | { bucket: number; count: number }[]

/** Row `i` in the view's published columns. */
function presentRow(cells: Cells, i: number): { [column: string]: RowValue } {
  const values = rowAt(cells, i)
  return Object.fromEntries(
    viewColumns(cells.view).map(({ name, type }, c) => [name, presentValue(type, values[c]!)]),
  )
}

function presentValue(type: string, value: CellValue): RowValue {
  if (typeof value === 'string' || value === null) return value
  if (typeof value === 'number') return type === 'timestamp' ? iso(value) : rounded(value)
  return value.map(([bucket, count]) => ({ bucket, count }))
}

/** All rows in the view's published columns. */
function presentRows(cells: Cells): { [column: string]: RowValue }[] {
  return Array.from({ length: cells.length }, (_, i) => presentRow(cells, i))
}
