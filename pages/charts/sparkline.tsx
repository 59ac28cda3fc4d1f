import { holesOf } from './gaps.ts'
import { placeOn, scaleOf } from './scale.ts'

/** A line of the newest values, without axes: 100 wide, 28 high; breaks where there are none for longer than usual. */
export function Sparkline({ values, unit }: { values: readonly (number | null)[]; unit: string }) {
  const scale = scaleOf(values, unit)
  const step = 100 / Math.max(1, values.length - 1)
  const held = values.map((value) => (value === null ? null : 1))
  const { drawn } = holesOf([...values.keys()], held, 1)
  /** Points without a break between them. */
  const stretches: { from: string; points: string[] }[] = []
  let isBroken = true
  for (const i of drawn) {
    const value = values[i] ?? null
    const x = (i * step).toFixed(1)
    if (value !== null) {
      if (isBroken) stretches.push({ from: x, points: [] })
      const y = (27 - 26 * placeOn(scale, value)).toFixed(1)
      stretches.at(-1)!.points.push(`${x} ${y}`)
    }
    isBroken = value === null
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
