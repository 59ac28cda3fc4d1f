import type { CellColumn } from '../cell-column.ts'
import { type MeasureSql, plainStage } from '../sql/dialect.ts'
import { type Accumulator, type Measure, numbers, reserved, taken } from './measure.ts'

/** How many messages had the gauge. Of a gauge that all have, the number of messages says it, and there is no column. */
export const count: Measure = {
  name: 'count',
  columns: ({ gauge, optional }) =>
    optional ? [{ name: `${gauge}_num`, type: 'long', nullable: false, group: 'count' }] : [],
  accumulator: ({ optional }) => (optional ? new Counts() : NO_COUNTS),
  sql(dialect, prefix, { optional }) {
    if (!optional) return NOTHING
    const name = `${prefix}count`
    return {
      map: ({ value }) => plainStage([{ name, sql: `count(${value})` }]),
      reduce: () => plainStage([{ name, sql: `sum(${name})` }]),
      final: () => [dialect.long(name)],
    }
  },
  fields: ({ optional }) => (optional ? [{ name: 'count', type: 'long', nullable: false }] : []),
  answer: (of, i) => (of.of('count')!.length > 0 ? [of.count(i)] : []),
}

class Counts implements Accumulator {
  #counts = new Float64Array()

  reserve(rows: number): void {
    this.#counts = reserved(this.#counts, rows, 0)
  }

  fold(rows: Int32Array, n: number, values: Float64Array): void {
    const counts = this.#counts
    for (let i = 0; i < n; i++) {
      const value = values[i]!
      if (rows[i]! >= 0 && !Number.isNaN(value)) counts[rows[i]!]! += 1
    }
  }

  merge(rows: Int32Array, columns: readonly CellColumn[], from: number, to: number): void {
    const counts = this.#counts
    const values = numbers(columns[0])
    for (let i = from; i < to; i++) counts[rows[i - from]!]! += values[i]!
  }

  take(rows: Uint32Array): CellColumn[] {
    return [{ type: 'long', values: taken(this.#counts, rows) }]
  }
}

const NO_COUNTS: Accumulator = { reserve() {}, fold() {}, merge() {}, take: () => [] }

const NOTHING: MeasureSql = { map: () => plainStage([]), reduce: () => plainStage([]), final: () => [] }
