import type { SketchColumn } from '../cell-column.ts'
import { middleOf } from './buckets.ts'
import { type Measure, numbers, ofCounted } from './measure.ts'
import { Sketches } from './sketches.ts'

/** The percentiles that answers tell. */
export const PERCENTILES = [50, 95, 99] as const

/**
 * How many values fell into each logarithmic bucket (`buckets.ts`), and of it percentiles: the value whose rank is
 * ceil(p × count / 100), as the middle of its bucket, kept within minimum and maximum. Counts are whole numbers, so
 * every order of adding gives the same.
 */
export const quantiles: Measure = {
  name: 'quantiles',
  columns: ({ gauge }) => [{ name: `${gauge}_sketch`, type: 'sketch', nullable: false, group: 'sketch' }],
  accumulator: () => new Sketches(),
  sql(dialect, prefix) {
    const [name, list] = [`${prefix}sketch`, `${prefix}list`]
    return {
      map: ({ value }) => ({
        aggregates: [{ name: list, sql: dialect.list(dialect.bucket(value)) }],
        results: [{ name, sql: dialect.runs(list) }],
      }),
      reduce: (parts) => dialect.addedRuns(name, prefix, parts),
      final: () => [name],
    }
  },
  fields: () => PERCENTILES.map((p) => ({ name: `p${p}`, type: 'double', nullable: true })),
  answer({ counts, of }) {
    const sketches = of('quantiles')![0] as SketchColumn
    const least = of('minimum')?.[0]
    const most = of('maximum')?.[1]
    const columns = PERCENTILES.map(() => new Float64Array(counts.length).fill(Number.NaN))
    for (let i = 0; i < counts.length; i++) writePercentiles(sketches, i, columns)
    return columns.map((values) => {
      if (least) raise(values, numbers(least))
      if (most) lower(values, numbers(most))
      return ofCounted(values, counts)
    })
  },
}

/** Writes the middles of the buckets that hold the percentiles of row `i`; nothing where it has no values. */
function writePercentiles(
  { offsets, buckets, counts }: SketchColumn,
  i: number,
  columns: readonly Float64Array[],
): void {
  const [from, to] = [offsets[i]!, offsets[i + 1]!]
  if (from === to) return
  let total = 0
  for (let at = from; at < to; at++) total += counts[at]!
  let at = from
  let passed = counts[at]!
  let middle = middleOf(buckets[at]!)
  // They ascend.
  for (let p = 0; p < PERCENTILES.length; p++) {
    const rank = Math.max(1, Math.ceil((PERCENTILES[p]! * total) / 100))
    if (passed < rank && at + 1 < to) {
      while (passed < rank && at + 1 < to) passed += counts[++at]!
      middle = middleOf(buckets[at]!)
    }
    columns[p]![i] = middle
  }
}

function raise(values: Float64Array, least: Float64Array): void {
  for (let i = 0; i < values.length; i++) if (values[i]! < least[i]!) values[i] = least[i]!
}

function lower(values: Float64Array, most: Float64Array): void {
  for (let i = 0; i < values.length; i++) if (values[i]! > most[i]!) values[i] = most[i]!
}
