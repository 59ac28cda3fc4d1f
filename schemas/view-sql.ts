import type { Dialect, MeasureSql, SqlColumn, SqlStage } from './sql/dialect.ts'
import type { View } from './view.ts'
import { layoutOf, type ViewLayout } from './view-columns.ts'

/**
 * A view as SQL for the batch engines, from the same value as the cells. Partial cells have the columns
 *
 *     k0 … (key) │ minute (ms) │ messages │ per gauge g and measure: columns that begin with g0_ …
 *
 * and rows of messages those of their table.
 */

/** A relation of messages, and which gauges of the view its rows cannot have. */
export interface MessageRelation {
  readonly relation: string
  readonly lacks: ReadonlySet<string>
}

/** Partial cells of the messages in `sources` for which `condition` holds. */
export function mapSql(
  view: View,
  dialect: Dialect,
  sources: readonly MessageRelation[],
  condition: string,
): string {
  const { key, source, gauges, bucketMs } = view
  const read = ({ relation, lacks }: MessageRelation) => {
    const values = gauges.map(({ gauge, scale }, g) => {
      const value = lacks.has(gauge) ? 'CAST(NULL AS DOUBLE)' : dialect.name(gauge)
      return `${scale === 1 ? value : `${value} * ${dialect.double(scale)}`} AS g${g}`
    })
    const columns = [
      ...key.map((name, k) => `${dialect.name(name)} AS k${k}`),
      ...(source === null ? [] : [`${dialect.name(source)} AS source`]),
      ...values,
      `${dialect.epochMs('time_stamp')} AS ms`,
    ]
    return `SELECT ${columns.join(', ')} FROM ${relation} WHERE ${condition}`
  }
  const stages = measuresOf(view, dialect).map(({ g, sql }) =>
    sql.map({ value: `g${g}`, ms: 'ms', source: source === null ? null : 'source' }),
  )
  const minute = `ms - ((ms % ${bucketMs}) + ${bucketMs}) % ${bucketMs}`
  return staged(view, stages, {
    minute: `${minute} AS minute`,
    messages: 'count(*)',
    from: sources.map(read).join(' UNION ALL '),
  })
}

/** Partial cells of several relations of partial cells, of each (key, minute) one. */
export function reduceSql(view: View, dialect: Dialect, partials: readonly string[]): string {
  const query = partials.map((partial) => `SELECT * FROM ${partial}`).join(' UNION ALL ')
  const parts = { query, keys: [...view.key.map((_, k) => `k${k}`), 'minute'], group: GROUP }
  const stages = measuresOf(view, dialect).map(({ sql }) => sql.reduce(parts))
  return staged(view, stages, { minute: 'minute', messages: 'sum(messages)', from: query })
}

/** Partial cells, of each (key, minute) one, in the published columns; in no order. */
export function finalSql(view: View, dialect: Dialect, partial: string): string {
  const layout = layoutOf(view)
  const expressions: string[] = view.key.map((_, k) => `k${k}`)
  expressions[layout.time] = dialect.timestamp('minute')
  expressions[layout.messages] = dialect.long('messages')
  for (const { places, sql } of measuresOf(view, dialect))
    for (const [c, expression] of sql.final().entries()) expressions[places[c]!] = expression
  const columns = layout.columns.map(({ name }, c) => `${expressions[c]} AS ${dialect.name(name)}`)
  return `SELECT ${columns.join(', ')} FROM (${partial})`
}

/** The published order of cells as columns to order by. */
export function orderSql(view: View, dialect: Dialect): string {
  return [...view.key, 'time_stamp'].map(dialect.name).join(', ')
}

/** What rows are grouped into: partial cells whose results are not computed yet. */
const GROUP = 'cell'

interface PlacedSql {
  readonly g: number
  readonly places: ViewLayout['gauges'][number][number]['places']
  readonly sql: MeasureSql
}

function measuresOf(view: View, dialect: Dialect): PlacedSql[] {
  return layoutOf(view).gauges.flatMap((measures, g) =>
    measures.map(({ measure, places }) => ({
      g,
      places,
      sql: measure.sql(dialect, `g${g}_`, view.gauges[g]!, view.source),
    })),
  )
}

function staged(
  view: View,
  stages: readonly SqlStage[],
  { minute, messages, from }: { minute: string; messages: string; from: string },
): string {
  const keys = view.key.map((_, k) => `k${k}`)
  const listed = (columns: readonly SqlColumn[]) => columns.map(({ name, sql }) => `${sql} AS ${name}`)
  const aggregates = [
    ...keys,
    minute,
    `${messages} AS messages`,
    ...listed(stages.flatMap((one) => one.aggregates)),
  ]
  const results = [...keys, 'minute', 'messages', ...listed(stages.flatMap((one) => one.results))]
  const groups = [...keys, 'minute'].join(', ')
  return `SELECT ${results.join(', ')} FROM (SELECT ${aggregates.join(', ')} FROM (${from}) GROUP BY ${groups}) AS ${GROUP}`
}
