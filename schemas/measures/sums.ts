import type { CellColumn, NumberColumn } from '../cell-column.ts'
import { type Accumulator, numbers, reserved, taken } from './measure.ts'

/** Rows of one column of numbers that are added up; what a message adds is said by the class that extends it. */
export abstract class Sums implements Accumulator {
  readonly #type: NumberColumn['type']
  protected sums = new Float64Array()

  constructor(type: NumberColumn['type']) {
    this.#type = type
  }

  abstract fold(rows: Int32Array, n: number, values: Float64Array): void

  reserve(rows: number): void {
    this.sums = reserved(this.sums, rows)
  }

  merge(rows: Int32Array, columns: readonly CellColumn[], from: number, to: number): void {
    const { sums } = this
    const values = numbers(columns[0])
    for (let i = from; i < to; i++) sums[rows[i - from]!]! += values[i]!
  }

  take(rows: Uint32Array): CellColumn[] {
    return [{ type: this.#type, values: taken(this.sums, rows) }]
  }
}
