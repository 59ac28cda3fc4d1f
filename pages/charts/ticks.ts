import { bucketsOf, fittingStep } from '../time/buckets.ts'
import { startOfDay } from '../time/range.ts'
import { clock, weekday } from '../time/words.ts'
import { wallOf } from '../time/zone.ts'

/** A mark on an axis of time: how far along it is, from 0 to 1, and what it says. */
export interface Tick {
  readonly at: number
  readonly text: string
}

const TICKS_MAX = 9

/** Marks where whole hours, days, weeks or months of the zone begin; what begins a date says the date. */
export function ticksOf(fromMs: number, toMs: number, zone: string): Tick[] {
  const step = fittingStep(fromMs, toMs, TICKS_MAX)
  const isShort = step.unit === 'minute' || step.unit === 'hour'
  return bucketsOf(fromMs, toMs, step, zone)
    .filter((bucket, i) => i > 0 || !bucket.partial)
    .map(({ fromMs: ms }) => {
      const isTime = isShort && startOfDay(ms, zone) !== ms
      return { at: (ms - fromMs) / (toMs - fromMs), text: textOf(ms, zone, step.unit, isTime) }
    })
}

function textOf(ms: number, zone: string, unit: string, isTime: boolean): string {
  if (isTime) return clock(ms, zone)
  const year = String(new Date(wallOf(ms, zone)).getUTCFullYear())
  if (unit === 'year') return year
  const date = weekday(ms, zone)
  // Sat 21 Nov; of a month Nov 2026.
  return unit === 'month' ? `${date.split(' ')[2]} ${year}` : date
}
