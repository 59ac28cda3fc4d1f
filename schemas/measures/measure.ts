import type { CellColumn, ColumnType } from '../cell-column.ts'
import { grown } from '../grown.ts'
import type { Dialect, MeasureSql } from '../sql/dialect.ts'
import type { StringColumn } from '../string-column.ts'
import type { MeasureName, ViewGauge } from '../view.ts'

/**
 * What a cell keeps of a gauge: a commutative monoid over columns. It is one value, and everything that is known of a
 * measure is said here: its columns, how messages and cells are added, its part of an answer.
 */
export interface Measure {
  readonly name: MeasureName
  /** Its columns in the view's table, in the order in which `Accumulator` takes and gives them. */
  columns(gauge: ViewGauge, source: string | null): readonly MeasureColumn[]
  accumulator(gauge: ViewGauge, source: string | null, pool: StringPool): Accumulator
  /** The same as SQL, for partial results whose names begin with `prefix`. */
  sql(dialect: Dialect, prefix: string, gauge: ViewGauge, source: string | null): MeasureSql
  /** The fields of its answer. */
  fields(gauge: ViewGauge, source: string | null): readonly AnswerField[]
  /** The values of `fields` of every row. Times are milliseconds since 1970. */
  answer(of: GaugeColumns): readonly AnswerColumn[]
}

export interface MeasureColumn {
  readonly name: string
  readonly type: ColumnType
  /** Whether a cell may have no value: where the gauge is optional and no message had it. */
  readonly nullable: boolean
  /** Columns stand in the order of their groups, within one in that of the gauges. */
  readonly group: ColumnGroup
}

/** The published order of a view's columns; the number of messages stands between extremes and sources. */
export const COLUMN_GROUPS = ['total', 'maximum', 'messages', 'source', 'count', 'minimum', 'sketch'] as const
export type ColumnGroup = (typeof COLUMN_GROUPS)[number]

export interface AnswerField {
  readonly name: string
  readonly type: 'double' | 'long' | 'timestamp' | 'string'
  readonly nullable: boolean
}

/** The values of one field, one a row; NaN or null where there was no value. */
export type AnswerColumn = Float64Array | readonly (string | null)[]

/** The columns of all measures of one gauge in some cells. */
export interface GaugeColumns {
  /** How many values each row has. */
  readonly counts: Float64Array
  /** A measure's columns; null when the view does not have it. */
  of(measure: MeasureName): readonly CellColumn[] | null
}

/** Rows of one measure of one gauge that are being folded. A row that was never added to is the unit. */
export interface Accumulator {
  /** Takes memory for rows below `rows`. What it does not hold yet is zeros, and not touched before there are such rows. */
  reserve(rows: number): void
  /** Makes units of the rows from `from` to `to`, for which there is memory, where a unit is not zero. */
  begin?(from: number, to: number): void
  /** Adds the first `n` messages; message `i` to row `rows[i]`, or to none where that is negative. A NaN is no value. */
  fold(rows: Int32Array, n: number, values: Float64Array, messages: Folded): void
  /** Adds the cells from `from` to `to`, in the measure's own columns; cell `i` to row `rows[i - from]`. */
  merge(rows: Int32Array, columns: readonly CellColumn[], from: number, to: number): void
  /** Copies of the rows `rows`, in that order, as the measure's columns. */
  take(rows: Uint32Array): CellColumn[]
}

/** What a measure may ask of messages besides the gauge. */
export interface Folded {
  readonly timeMs: Float64Array
  readonly source: StringColumn | null
}

/** Strings by number, null being 0; numbers stay what they are. */
export class StringPool {
  readonly strings: (string | null)[] = [null]
  readonly #idOf = new Map<string, number>()

  idOf(text: string | null): number {
    if (text === null) return 0
    let id = this.#idOf.get(text)
    if (id === undefined) {
      id = this.strings.push(text) - 1
      this.#idOf.set(text, id)
    }
    return id
  }
}

/** Room for at least `rows` rows: what was there, then zeros. */
export function reserved<T extends Float64Array | Int32Array>(values: T, rows: number): T {
  return rows <= values.length ? values : grown(values, rows)
}

/** The rows `rows` of `values`; where they are `unit`, `absent`. */
export function taken(values: Float64Array, rows: Uint32Array, unit = 0, absent = 0): Float64Array {
  const copy = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const value = values[rows[i]!]!
    copy[i] = value === unit ? absent : value
  }
  return copy
}

/** Values of a column of numbers. */
export function numbers(column: CellColumn | undefined): Float64Array {
  return (column as { values: Float64Array }).values
}

/** `values` of the rows that have any; of the others NaN. */
export function ofCounted(values: Float64Array, counts: Float64Array): Float64Array {
  if (!counts.includes(0)) return values
  return values.map((value, i) => (counts[i] === 0 ? Number.NaN : value))
}

/** Values of a column of strings. */
export function texts(column: CellColumn | undefined): StringColumn<string | null> {
  return (column as { values: StringColumn<string | null> }).values
}
