import type { CellColumn } from '../cell-column.ts'
import { plainStage } from '../sql/dialect.ts'
import { type Measure, numbers, reserved, taken } from './measure.ts'
import { Sums } from './sums.ts'

/**
 * The sum of the values, and of it the mean. Sums of doubles are not associative, so what each addition rounds off is kept and
 * added at the end: whatever the order and the layers, 15 significant digits, as answers write them, are the same for values
 * of a few decimals. An engine that only adds agrees to 1e-9 relative.
 */
export const total: Measure = {
  name: 'total',
  columns: ({ gauge }) => [{ name: gauge, type: 'double', nullable: false, group: 'total' }],
  accumulator: () => new Totals('double'),
  sql(dialect, prefix) {
    const name = `${prefix}total`
    return {
      map: ({ value }) => plainStage([{ name, sql: dialect.exactSum(value) }]),
      reduce: () => plainStage([{ name, sql: dialect.exactSum(name) }]),
      final: () => [`coalesce(${name}, 0)`],
    }
  },
  fields: () => [
    { name: 'total', type: 'double', nullable: false },
    { name: 'mean', type: 'double', nullable: true },
  ],
  answer({ counts, of }) {
    const sums = numbers(of('total')![0])
    const means = new Float64Array(sums.length)
    // A row without values has none: 0 / 0 is NaN.
    for (let i = 0; i < means.length; i++) means[i] = sums[i]! / counts[i]!
    return [sums, means]
  },
}

class Totals extends Sums {
  /** What additions rounded off, by row. */
  #lost = new Float64Array()

  override reserve(rows: number): void {
    super.reserve(rows)
    this.#lost = reserved(this.#lost, rows)
  }

  fold(rows: Int32Array, n: number, values: Float64Array): void {
    for (let i = 0; i < n; i++) {
      const value = values[i]!
      if (rows[i]! >= 0 && !Number.isNaN(value)) this.#add(rows[i]!, value)
    }
  }

  override merge(rows: Int32Array, columns: readonly CellColumn[], from: number, to: number): void {
    const values = numbers(columns[0])
    for (let i = from; i < to; i++) this.#add(rows[i - from]!, values[i]!)
  }

  /** By Knuth's TwoSum: the rounding of an addition is a double too. */
  #add(row: number, value: number): void {
    const before = this.sums[row]!
    const sum = before + value
    const added = sum - before
    this.#lost[row]! += before - (sum - added) + (value - added)
    this.sums[row] = sum
  }

  override take(rows: Uint32Array): CellColumn[] {
    const [values, lost] = [taken(this.sums, rows), taken(this.#lost, rows)]
    for (let i = 0; i < values.length; i++) values[i]! += lost[i]!
    return [{ type: 'double', values }]
  }
}
