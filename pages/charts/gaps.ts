/** A stretch of time without messages, or without values of a gauge that may be absent. */
export interface Hole {
  readonly fromMs: number
  readonly toMs: number
}

/** Buckets as long as so many usual distances between two that hold something make a hole. */
const USUAL_MAX = 3

/**
 * Tells the holes of a series from buckets that are empty only because values come less often than buckets: which columns to
 * draw, with one empty bucket in each hole, so that the line breaks there. `t` is where buckets begin, in order; a bucket holds
 * something where `values` has neither null nor 0. What has not been heard of since long before `endMs` has a hole up to there.
 */
export function holesOf(
  t: readonly number[],
  values: readonly (number | null)[],
  stepMs: number,
  endMs = 0,
): { readonly drawn: readonly number[]; readonly holes: readonly Hole[] } {
  const held = t.flatMap((_, i) => (values[i] ? [i] : []))
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
  const last = held.at(-1)
  if (last !== undefined) {
    const fromMs = t[last]! + stepMs
    if (endMs - fromMs >= (usual * USUAL_MAX - 1) * stepMs) holes.push({ fromMs, toMs: endMs })
  }
  return { drawn, holes }
}
