/** A stretch of time without messages. */
export interface Hole {
  readonly fromMs: number
  readonly toMs: number
}

/** Buckets as long as so many usual distances between two that hold something make a hole. */
const USUAL_MAX = 3

/**
 * Tells the holes of a series from buckets that are empty only because messages come less often than buckets: which columns to
 * draw, with one empty bucket in each hole, so that the line breaks there. `t` is where buckets begin, in order.
 */
export function holesOf(
  t: readonly number[],
  messages: readonly (number | null)[],
  stepMs: number,
): { readonly drawn: readonly number[]; readonly holes: readonly Hole[] } {
  const held = t.flatMap((_, i) => (messages[i] ? [i] : []))
  const apart = held
    .slice(1)
    .map((i, k) => i - held[k]!)
    .sort((a, b) => a - b)
  const usual = apart[Math.floor(apart.length / 2)] ?? 1
  const drawn: number[] = []
  const holes: Hole[] = []
  for (const [k, i] of held.entries()) {
    const before = held[k - 1]
    if (before !== undefined && i - before >= usual * USUAL_MAX) {
      drawn.push(before + 1)
      holes.push({ fromMs: t[before]! + stepMs, toMs: t[i]! })
    }
    drawn.push(i)
  }
  return { drawn, holes }
}
