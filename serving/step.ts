import { TidemarkError } from '../schemas/errors.ts'
import { shown } from '../schemas/shown.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, UNITS_MS } from '../schemas/time.ts'
import type { Range } from './answers.ts'

const STEPS_MS = [1_000, 5_000, 10_000, 30_000]
  .concat([1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS))
  .concat([1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS))
  .concat([1, 2, 7, 14, 28, 91, 365].map((days) => days * DAY_MS))

/** The finest step, a multiple of `bucketMs`, that gives at most `pointsMax` buckets. */
export function chooseStep({ fromMs, toMs }: Range, pointsMax: number, bucketMs: number): number {
  return (
    STEPS_MS.find((stepMs) => stepMs % bucketMs === 0 && (toMs - fromMs) / stepMs <= pointsMax) ??
    Math.ceil((toMs - fromMs) / pointsMax / DAY_MS) * DAY_MS
  )
}

/** Buckets of one answer at most. */
const BUCKETS_MAX = 50_000

/** A step as a request names it. Throws `E_PARAMETER` when it is none that buckets of `bucketMs` can be put together to. */
export function parseStep(text: string, { fromMs, toMs }: Range, bucketMs: number): number {
  const wrong = (reason: string) => new TidemarkError('E_PARAMETER', reason, { field: 'step' })
  const [, count, unit] = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(text) ?? []
  const stepMs = Number(count) * UNITS_MS[unit ?? 'ms']!
  if (!(stepMs > 0)) throw wrong(`step must be like 1m, 15m, 1h or 7d, or milliseconds, not ${shown(text)}`)
  if (stepMs % bucketMs !== 0)
    throw wrong(`step must be a multiple of ${bucketMs} ms, the view's own, not ${shown(text)}`)
  if (stepMs % DAY_MS !== 0 && DAY_MS % stepMs !== 0)
    throw wrong(`step must divide a day or be whole days, not ${shown(text)}`)
  const buckets = Math.ceil((toMs - fromMs) / stepMs)
  if (buckets > BUCKETS_MAX)
    throw wrong(`step ${text} makes ${buckets} buckets; at most ${BUCKETS_MAX} are answered`)
  return stepMs
}
