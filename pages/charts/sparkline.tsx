/** A line of the newest values, without axes: 100 wide, 28 high; breaks where there are none. */
export function Sparkline({ values, max }: { values: readonly (number | null)[]; max: number | null }) {
  const top = max ?? Math.max(1e-9, ...values.map((value) => value ?? 0))
  const step = 100 / Math.max(1, values.length - 1)
  let path = ''
  let pen = 'M'
  for (const [i, value] of values.entries()) {
    if (value === null) pen = 'M'
    else {
      path += `${pen}${(i * step).toFixed(1)} ${(27 - 26 * Math.min(1, Math.max(0, value / top))).toFixed(1)}`
      // A point alone is drawn as a dot.
      if (pen === 'M') path += 'h.01'
      pen = 'L'
    }
  }
  return (
    <svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">
      <path d={path} vector-effect="non-scaling-stroke" />
    </svg>
  )
}
