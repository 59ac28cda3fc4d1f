import type { CellColumn } from '../cell-column.ts'
import { plainStage } from '../sql/dialect.ts'
import { type Accumulator, type Measure, numbers, ofCounted, reserved, taken } from './measure.ts'

/** The smallest value. */
export const minimum: Measure = {
  name: 'minimum',
  columns: ({ gauge, optional }) => [
    { name: `min_${gauge}`, type: 'double', nullable: optional, group: 'minimum' },
  ],
  accumulator: () => new Minima(),
  sql(_dialect, prefix) {
    const name = `${prefix}min`
    return {
      map: ({ value }) => plainStage([{ name, sql: `min(${value})` }]),
      reduce: () => plainStage([{ name, sql: `min(${name})` }]),
      final: () => [name],
    }
  },
  fields: () => [{ name: 'min', type: 'double', nullable: true }],
  answer: (of) => [ofCounted(numbers(of.of('minimum')![0]), of.counts)],
}

const UNIT = Number.POSITIVE_INFINITY

class Minima implements Accumulator {
  #values = new Float64Array()

  reserve(rows: number): void {
    this.#values = reserved(this.#values, rows)
  }

  begin(from: number, to: number): void {
    this.#values.fill(UNIT, from, to)
  }

  fold(rows: Int32Array, n: number, values: Float64Array): void {
    const minima = this.#values
    for (let i = 0; i < n; i++) {
      const row = rows[i]!
      if (row >= 0 && values[i]! < minima[row]!) minima[row] = values[i]!
    }
  }

  merge(rows: Int32Array, columns: readonly CellColumn[], from: number, to: number): void {
    const minima = this.#values
    const values = numbers(columns[0])
    for (let i = from; i < to; i++) {
      const row = rows[i - from]!
      if (values[i]! < minima[row]!) minima[row] = values[i]!
    }
  }

  take(rows: Uint32Array): CellColumn[] {
    return [{ type: 'double', values: taken(this.#values, rows, UNIT, Number.NaN) }]
  }
}
