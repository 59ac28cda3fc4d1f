import type { DataFile } from '../../lake/delta/port.ts'
import { hourStartMs } from '../../lake/tables/hours.ts'
import { parseForm } from '../../schemas/dataset.ts'
import { type Position, partitionsOf } from '../../schemas/position.ts'
import type { Dialect } from '../../schemas/sql/dialect.ts'
import { HOUR_MS } from '../../schemas/time.ts'
import type { View } from '../../schemas/view.ts'
import { formTag } from './engine.ts'

/** What every SQL engine asks of the rows of a date, in its own dialect. */

/** Rows whose time is in `hours`, all of one date. */
export function hoursCondition(hours: readonly string[], dialect: Dialect): string {
  if (hours.length === 24) return 'true'
  if (hours.length === 0) return 'false'
  const numbers = hours.map((hour) => hourStartMs(hour) / HOUR_MS)
  return `floor(${dialect.epochMs('time_stamp')} / ${HOUR_MS}) IN (${numbers.join(', ')})`
}

/** Rows at or below a position; imported rows always are. */
export function positionCondition(upTo: Position, { name }: Dialect): string {
  const parts = partitionsOf(upTo).map(
    (partition) => `(${name('partition')} = ${partition} AND ${name('offset')} <= ${upTo[partition]})`,
  )
  return `(${name('partition')} < 0 OR ${parts.join(' OR ') || 'false'})`
}

/** Gauges of a view that came into its dataset after a file was written. */
export function lackedGauges(view: View, file: DataFile): ReadonlySet<string> {
  const form = formTag(file)
  const has = form === null ? null : parseForm(form)?.gauges
  return new Set(view.gauges.map(({ gauge }) => gauge).filter((gauge) => has?.includes(gauge) === false))
}
