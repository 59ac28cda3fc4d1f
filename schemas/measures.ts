import { count } from './measures/count.ts'
import { maximum } from './measures/maximum.ts'
import type { Measure } from './measures/measure.ts'
import { minimum } from './measures/minimum.ts'
import { quantiles } from './measures/quantiles.ts'
import { total } from './measures/total.ts'
import type { MeasureName } from './view.ts'

/** Every measure there is. */
export const MEASURES: { readonly [name in MeasureName]: Measure } = {
  count,
  total,
  maximum,
  minimum,
  quantiles,
}
