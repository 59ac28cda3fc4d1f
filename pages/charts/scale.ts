/** From which value to which something is drawn. */
export interface Scale {
  readonly low: number
  readonly high: number
}

/** Values that differ by less than this share of their size are drawn as nearly level. */
const SHARE_MIN = 0.01

/**
 * Percent reach from 0 to 100, what is near nothing begins at 0, and all else as far as the values do: degrees below zero, or
 * pressures that hardly differ, can be told apart too.
 */
export function scaleOf(values: Iterable<number | null>, unit: string): Scale {
  if (unit === '%') return { low: 0, high: 100 }
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (value === null) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  if (low > high) return { low: 0, high: 1 }
  if (low >= 0 && low < high / 2) return { low: 0, high }
  const size = Math.max(Math.abs(low), Math.abs(high))
  const room = Math.max(0, (size * SHARE_MIN || 1) - (high - low)) / 2
  return { low: low - room, high: high + room }
}

/** Where a value lies on a scale, from 0 to 1. */
export const placeOn = ({ low, high }: Scale, value: number): number =>
  Math.min(1, Math.max(0, (value - low) / (high - low)))
