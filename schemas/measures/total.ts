import { plainStage } from '../sql/dialect.ts'
import { type Measure, numbers } from './measure.ts'
import { Sums } from './sums.ts'

/**
 * The sum of the values, and of it the mean. Sums of doubles are not associative: two orders of adding agree to 1e-9
 * relative, and answers write 15 significant digits.
 */
export const total: Measure = {
  name: 'total',
  columns: ({ gauge }) => [{ name: gauge, type: 'double', nullable: false, group: 'total' }],
  accumulator: () => new Totals('double'),
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

class Totals extends Sums {
  fold(rows: Int32Array, n: number, values: Float64Array): void {
    const { sums } = this
    for (let i = 0; i < n; i++) {
      const value = values[i]!
      if (rows[i]! >= 0 && !Number.isNaN(value)) sums[rows[i]!]! += value
    }
  }
}
