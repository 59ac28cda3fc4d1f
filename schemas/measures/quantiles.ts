import type { SketchColumn } from '../cell-column.ts'
import { middleOf } from './buckets.ts'
import { type Measure, numbers } from './measure.ts'
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
    const made = (aggregate: string, result: string) => ({
      aggregates: [{ name: list, sql: aggregate }],
      results: [{ name, sql: result }],
    })
    return {
      map: ({ value }) => made(dialect.sortedList(dialect.bucket(value)), dialect.runs(list)),
      reduce: () => made(dialect.joinedRuns(name), dialect.addedRuns(list)),
      final: () => [name],
    }
  },
  fields: () => PERCENTILES.map((p) => ({ name: `p${p}`, type: 'double', nullable: true })),
  answer(of, i) {
    if (of.count(i) === 0) return PERCENTILES.map(() => null)
    const sketch = of.of('quantiles')![0] as SketchColumn
    const least = of.of('minimum')?.[0]
    const most = of.of('maximum')?.[1]
    const [min, max] = [
      least ? numbers(least)[i]! : Number.NEGATIVE_INFINITY,
      most ? numbers(most)[i]! : Number.POSITIVE_INFINITY,
    ]
    const values = percentiles(sketch, i)
    for (let p = 0; p < values.length; p++) values[p] = Math.min(max, Math.max(min, values[p]!))
    return values
  },
}

/** The middles of the buckets that hold the percentiles of row `i`, which has at least one value. */
function percentiles({ offsets, buckets, counts }: SketchColumn, i: number): number[] {
  const [from, to] = [offsets[i]!, offsets[i + 1]!]
  if (to === from + 1) return new Array<number>(PERCENTILES.length).fill(middleOf(buckets[from]!))
  let total = 0
  for (let at = from; at < to; at++) total += counts[at]!
  let at = from
  let passed = counts[at]!
  // They ascend.
  return PERCENTILES.map((p) => {
    const rank = Math.max(1, Math.ceil((p * total) / 100))
    while (passed < rank && at + 1 < to) passed += counts[++at]!
    return middleOf(buckets[at]!)
  })
}
