import type { Cells } from '../../schemas/cells.ts'
import type { Range } from '../answers.ts'
import { iso } from './present.ts'
import { MESSAGES, plainValues, seriesColumns } from './series-columns.ts'

/**
 * The series of one key as JSON, with `about` behind it; of wanted fields alone. To write numbers takes most of the time, and where a
 * bucket has one message its mean, extremes and percentiles are the same: columns that are equal are written once.
 */
export function seriesJson(
  cells: Cells,
  range: Range,
  stepMs: number,
  wanted: ReadonlySet<string> | null,
  about: object,
): string {
  const { t, gauges, messages } = seriesColumns(cells, range, stepMs, wanted)
  const members = new Map([['t', `["${t.map(iso).join('","')}"]`]])
  if (t.length === 0) members.set('t', '[]')
  for (const [g, { gauge }] of cells.view.gauges.entries()) {
    const columns = Object.entries(gauges[g]!)
    if (wanted === null || columns.length > 0) members.set(gauge, columnsJson(columns))
  }
  if (wanted?.has(MESSAGES) !== false) members.set(MESSAGES, JSON.stringify(plainValues(messages)))
  for (const [name, value] of Object.entries({ step_ms: stepMs, ...about }))
    members.set(name, JSON.stringify(value))
  return objectJson(members)
}

function columnsJson(columns: readonly (readonly [string, Float64Array])[]): string {
  const written: { readonly values: Float64Array; readonly text: string }[] = []
  const members = columns.map(([name, values]) => {
    const same = written.find((one) => isSame(one.values, values))
    const text = same?.text ?? JSON.stringify(plainValues(values))
    if (same === undefined) written.push({ values, text })
    return [name, text] as const
  })
  return objectJson(members)
}

/** Zero and minus zero are written the same. */
function isSame(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i]!, b[i]!]
    if (x !== y && !(Number.isNaN(x) && Number.isNaN(y))) return false
  }
  return true
}

function objectJson(members: Iterable<readonly [string, string]>): string {
  return `{${Array.from(members, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}
