import { type MeasureSql, plainStage } from '../sql/dialect.ts'
import type { Accumulator, Measure } from './measure.ts'
import { Sums } from './sums.ts'

/** How many messages had the gauge. Of a gauge that all have, the number of messages says it, and there is no column. */
export const count: Measure = {
  name: 'count',
  columns: ({ gauge, optional }) =>
    optional ? [{ name: `${gauge}_num`, type: 'long', nullable: false, group: 'count' }] : [],
  accumulator: ({ optional }) => (optional ? new Counts('long') : NO_COUNTS),
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
  answer: (of) => (of.of('count')!.length > 0 ? [of.counts] : []),
}

class Counts extends Sums {
  fold(rows: Int32Array, n: number, values: Float64Array): void {
    const { sums } = this
    for (let i = 0; i < n; i++) if (rows[i]! >= 0 && !Number.isNaN(values[i]!)) sums[rows[i]!]! += 1
  }
}

const NO_COUNTS: Accumulator = { reserve() {}, fold() {}, merge() {}, take: () => [] }

const NOTHING: MeasureSql = { map: () => plainStage([]), reduce: () => plainStage([]), final: () => [] }
