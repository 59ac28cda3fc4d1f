import type { View } from './view.ts'

/**
 * A view as SQL for the batch engines, from the same value as the TypeScript cell. Partial cells have the columns
 *
 *     k0 … (key) │ minute (ms) │ messages │ per gauge g: total_g, best_g = {v: −maximum, t: its time (ms), h: its host}
 *
 * The least `best` is the greatest value, of equal ones the earliest, of those the smallest host: structs compare field
 * by field, and strings by their bytes. So a maximum with its time and host is one aggregate that merges like a sum.
 */

/** Partial cells of the rows of `source` for which `condition` holds. */
export function mapSql(view: View, source: string, condition: string): string {
  const keys = view.key.map((column, k) => `${column} AS k${k}`)
  const values = view.gauges.map(({ gauge, scale }, g) => `${gauge} * ${double(scale)} AS g${g}`)
  const aggregates = view.gauges.map(
    (_, g) => `sum(g${g}) AS total_${g}, min(struct_pack(v := -g${g}, t := ms, h := host)) AS best_${g}`,
  )
  return `SELECT ${keyNames(view)}, ms - ((ms % ${view.bucketMs}) + ${view.bucketMs}) % ${view.bucketMs} AS minute,
  count(*) AS messages, ${aggregates.join(', ')}
FROM (SELECT ${[...keys, ...values].join(', ')}, host, epoch_ms(time_stamp) AS ms FROM ${source} WHERE ${condition})
GROUP BY ALL`
}

/** Cells of several tables of partial cells, in the columns of `cellSelect`. */
export function reduceSql(view: View, partials: readonly string[]): string {
  const aggregates = view.gauges.map((_, g) => `sum(total_${g}) AS total_${g}, min(best_${g}) AS best_${g}`)
  return `SELECT ${keyNames(view)}, minute, sum(messages) AS messages, ${aggregates.join(', ')}
FROM (${partials.map((table) => `SELECT * FROM ${table}`).join(' UNION ALL ')})
GROUP BY ALL ORDER BY ${keyNames(view)}, minute`
}

/** `reduced` with plain columns in the order of `viewColumns`; times and counts as doubles of whole numbers. */
export function cellSelect(view: View, reduced: string): string {
  const gauges = view.gauges.map((_, g) => g)
  return `SELECT ${[
    keyNames(view),
    'minute::DOUBLE',
    ...gauges.map((g) => `total_${g}`),
    // Adding zero makes −0, the negation of a maximum of 0, plain 0.
    ...gauges.flatMap((g) => [`best_${g}.t::DOUBLE`, `-best_${g}.v + 0`]),
    'messages::DOUBLE',
    ...gauges.map((g) => `best_${g}.h`),
  ].join(', ')} FROM (${reduced})`
}

function keyNames(view: View): string {
  return view.key.map((_, k) => `k${k}`).join(', ')
}

/** A double as SQL takes it, exactly: without the exponent the literal would be a decimal. */
function double(value: number): string {
  return value.toExponential()
}
