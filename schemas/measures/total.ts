import type { CellColumn } from '../cell-column.ts'
import { plainStage } from '../sql/dialect.ts'
import { type Accumulator, type Measure, numbers, reserved, taken } from './measure.ts'

/**
 * The sum of the values, and of it the mean. Sums of doubles are not associative: two orders of adding agree to 1e-9
 * relative, and answers write 15 significant digits.
 */
export const total: Measure = {
  name: 'total',
  columns: ({ gauge }) => [{ name: gauge, type: 'double', nullable: false, group: 'total' }],
  accumulator: () => new Totals(),
  sql(_dialect, prefix) {
    const name = `${prefix}total`
    return {
      map: ({ value }) => plainStage([{ name, sql: `sum(${value})` }]),
      reduce: () => plainStage([{ name, sql: `sum(${name})` }]),
      final: () => [`coalesce(${name}, 0)`],
    }
  },
  fields: () => [
    { name: 'total', type: 'double', nullable: false },
    { name: 'mean', type: 'double', nullable: true },
  ],
  answer(of, i) {
    const sum = numbers(of.of('total')![0])[i]!
    const count = of.count(i)
    return [sum, count === 0 ? null : sum / count]
  },
}

class Totals implements Accumulator {
  #sums = new Float64Array()

  reserve(rows: number): void {
    this.#sums = reserved(this.#sums, rows, 0)
  }

  fold(rows: Int32Array, n: number, values: Float64Array): void {
    const sums = this.#sums
    for (let i = 0; i < n; i++) {
      const value = values[i]!
      if (rows[i]! >= 0 && !Number.isNaN(value)) sums[rows[i]!]! += value
    }
  }

  merge(rows: Int32Array, columns: readonly CellColumn[], from: number, to: number): void {
    const sums = this.#sums
    const values = numbers(columns[0])
    for (let i = from; i < to; i++) sums[rows[i - from]!]! += values[i]!
  }

  take(rows: Uint32Array): CellColumn[] {
    return [{ type: 'double', values: taken(this.#sums, rows) }]
  }
}
