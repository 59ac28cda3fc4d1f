/** A line of the newest values, without axes: 100 wide, 28 high; breaks where there are none. */
export function Sparkline({ values, max }: { values: readonly (number | null)[]; max: number | null }) {
  const top = max ?? Math.max(1e-9, ...values.map((value) => value ?? 0))
  const step = 100 / Math.max(1, values.length - 1)
  /** Points without a break between them. */
  const stretches: { from: string; points: string[] }[] = []
  for (const [i, value] of values.entries()) {
    if (value === null) continue
    const x = (i * step).toFixed(1)
    if (i === 0 || values[i - 1] === null) stretches.push({ from: x, points: [] })
    const y = (27 - 26 * Math.min(1, Math.max(0, value / top))).toFixed(1)
    stretches.at(-1)!.points.push(`${x} ${y}`)
  }
  // A point alone is drawn as a dot.
  const line = stretches.map(({ points }) => `M${points.join('L')}h.01`).join('')
  const under = stretches.map(({ from, points }) => `M${points.join('L')}V28H${from}Z`).join('')
  return (
    <svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">
      <path class="under" d={under} />
      <path d={line} vector-effect="non-scaling-stroke" />
    </svg>
  )
}
