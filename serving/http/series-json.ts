import type { Cells } from '../../schemas/cells.ts'
import type { Range } from '../answers.ts'
import { JsonBytes } from './json-bytes.ts'
import { MESSAGES, type SeriesColumns, seriesColumns } from './series-columns.ts'

/** Bytes of a value of most columns, and of all columns of a bucket with its time: room that is taken at first. */
const BUCKET_BYTES = 128

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
): Buffer {
  const series = seriesColumns(cells, range, stepMs, wanted)
  const { t, places, gauges, messages } = series
  const out = new JsonBytes(BUCKET_BYTES * (t.length + 8))
  const members = new Map([['t', () => out.times(t)]])
  for (const [g, { gauge }] of cells.view.gauges.entries()) {
    const columns = Object.entries(gauges[g]!)
    if (wanted === null || columns.length > 0) members.set(gauge, () => writeColumns(out, columns, series))
  }
  if (wanted?.has(MESSAGES) !== false) members.set(MESSAGES, () => out.numbers(messages, places, t.length))
  for (const [name, value] of Object.entries({ step_ms: stepMs, ...about }))
    members.set(name, () => out.text(JSON.stringify(value)))
  writeObject(out, members)
  return out.take()
}

function writeColumns(
  out: JsonBytes,
  columns: readonly (readonly [string, Float64Array])[],
  { t, places }: SeriesColumns,
): void {
  const written: { readonly values: Float64Array; readonly from: number; readonly to: number }[] = []
  const write = (values: Float64Array) => {
    const same = written.find((one) => isSame(one.values, values))
    if (same !== undefined) return out.again(same.from, same.to)
    const from = out.length
    out.numbers(values, places, t.length)
    written.push({ values, from, to: out.length })
  }
  writeObject(
    out,
    columns.map(([name, values]) => [name, () => write(values)] as const),
  )
}

/** Zero and minus zero are written the same. */
function isSame(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < b.length; i++)
    if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false
  return true
}

function writeObject(out: JsonBytes, members: Iterable<readonly [string, () => void]>): void {
  let before = '{'
  for (const [name, write] of members) {
    out.text(`${before}${JSON.stringify(name)}:`)
    write()
    before = ','
  }
  out.text(before === '{' ? '{}' : '}')
}
