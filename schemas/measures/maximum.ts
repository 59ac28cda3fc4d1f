import type { CellColumn } from '../cell-column.ts'
import { plainStage } from '../sql/dialect.ts'
import { compareUtf8 } from '../utf8.ts'
import {
  type Accumulator,
  type Folded,
  type Measure,
  numbers,
  ofCounted,
  reserved,
  type StringPool,
  taken,
  texts,
} from './measure.ts'

/**
 * The largest value, when it was measured and by which source. Of equal values the earliest wins, at equal times the
 * smaller source by UTF-8 bytes.
 */
export const maximum: Measure = {
  name: 'maximum',
  columns: ({ gauge, optional }, source) => [
    { name: `max_${gauge}_time`, type: 'timestamp', nullable: optional, group: 'maximum' },
    { name: `max_${gauge}`, type: 'double', nullable: optional, group: 'maximum' },
    ...(source === null
      ? []
      : [{ name: `max_${gauge}_${source}`, type: 'string', nullable: optional, group: 'source' } as const]),
  ],
  accumulator: (_gauge, source, pool) => new Maxima(source !== null, pool),
  /**
   * The least struct of minus the value, time and source is the greatest value, of equal ones the earliest, of those the
   * smallest source: structs compare field by field.
   */
  sql(dialect, prefix, _gauge, named) {
    const name = `${prefix}best`
    return {
      map({ value, ms, source }) {
        const fields = { v: `-${value}`, t: ms, ...(source !== null && named !== null && { s: source }) }
        return plainStage([{ name, sql: `min(${dialect.struct(fields, `${value} IS NULL`)})` }])
      },
      reduce: () => plainStage([{ name, sql: `min(${name})` }]),
      final: () => [
        dialect.timestamp(dialect.field(name, 't')),
        // Adding zero makes −0, the negation of a maximum of 0, plain 0.
        `-${dialect.field(name, 'v')} + 0`,
        ...(named === null ? [] : [dialect.field(name, 's')]),
      ],
    }
  },
  fields: (_gauge, source) => [
    { name: 'max', type: 'double', nullable: true },
    { name: 'max_time', type: 'timestamp', nullable: true },
    ...(source === null ? [] : [{ name: `max_${source}`, type: 'string', nullable: true } as const]),
  ],
  answer({ counts, of }) {
    const [times, values, sources] = of('maximum')!
    const extremes = [values, times].map((column) => ofCounted(numbers(column), counts))
    if (sources === undefined) return extremes
    const { dictionary, places } = texts(sources)
    return [...extremes, Array.from(counts, (count, i) => (count === 0 ? null : dictionary[places[i]!]!))]
  },
}

const UNIT = Number.NEGATIVE_INFINITY

class Maxima implements Accumulator {
  readonly #pool: StringPool
  readonly #named: boolean
  #values = new Float64Array()
  #times = new Float64Array()
  /** Numbers of the sources in the pool. */
  #sources = new Int32Array()

  constructor(named: boolean, pool: StringPool) {
    this.#named = named
    this.#pool = pool
  }

  reserve(rows: number): void {
    this.#values = reserved(this.#values, rows)
    this.#times = reserved(this.#times, rows)
    if (this.#named) this.#sources = reserved(this.#sources, rows)
  }

  begin(from: number, to: number): void {
    this.#values.fill(UNIT, from, to)
    this.#times.fill(Number.NaN, from, to)
  }

  fold(rows: Int32Array, n: number, values: Float64Array, { timeMs, source }: Folded): void {
    const maxima = this.#values
    for (let i = 0; i < n; i++) {
      const row = rows[i]!
      const value = values[i]!
      // Most values lose; a NaN is never greater nor equal.
      if (row < 0 || !(value >= maxima[row]!)) continue
      this.#raise(row, value, timeMs[i]!, source === null ? null : source.dictionary[source.places[i]!]!)
    }
  }

  merge(rows: Int32Array, columns: readonly CellColumn[], from: number, to: number): void {
    const [times, values] = [numbers(columns[0]), numbers(columns[1])]
    const sources = this.#named ? texts(columns[2]) : null
    for (let i = from; i < to; i++) {
      const row = rows[i - from]!
      if (!(values[i]! >= this.#values[row]!)) continue
      this.#raise(
        row,
        values[i]!,
        times[i]!,
        sources === null ? null : sources.dictionary[sources.places[i]!]!,
      )
    }
  }

  /** Lets a value that is at least the maximum of `row` win or lose. */
  #raise(row: number, value: number, timeMs: number, source: string | null): void {
    if (value === this.#values[row]) {
      const at = this.#times[row]!
      if (timeMs > at) return
      if (timeMs === at) {
        if (source === null) return
        const held = this.#pool.strings[this.#sources[row]!]!
        if (compareUtf8(source, held) >= 0) return
      }
    }
    this.#values[row] = value
    this.#times[row] = timeMs
    if (source !== null) this.#sources[row] = this.#pool.idOf(source)
  }

  take(rows: Uint32Array): CellColumn[] {
    const columns: CellColumn[] = [
      { type: 'timestamp', values: taken(this.#times, rows) },
      { type: 'double', values: taken(this.#values, rows, UNIT, Number.NaN) },
    ]
    if (!this.#named) return columns
    const places = new Uint32Array(rows.length)
    for (let i = 0; i < rows.length; i++) places[i] = this.#sources[rows[i]!]!
    return [...columns, { type: 'string', values: { dictionary: this.#pool.strings, places } }]
  }
}
