import { type Dataset, formOf, formText } from '../../schemas/dataset.ts'
import { IMPORT_PARTITION } from '../../schemas/position.ts'
import { duckdb } from '../../schemas/sql/duckdb.ts'
import { DAY_MS, HOUR_MS } from '../../schemas/time.ts'
import type { FileAbout } from '../delta/port.ts'
import { hoursTag } from '../tables/hours.ts'

/** What is told of a date's file: as its writer tells it, and for the rest by a look at its times. */

/** The row that `COPY … (RETURN_STATS)` answers: path, rows, bytes, bytes of the footer, and of each column, by its quoted name, what is known. */
export type CopyStats = readonly [string, bigint, bigint, bigint, readonly Entry<readonly Entry<string>[]>[]]

const HOURS_OF_DAY = Array.from({ length: 24 }, (_, hour) => hour)

interface Entry<T> {
  readonly key: string
  readonly value: T
}

/** First and last time, and the hours of the day, each a bit. */
export function timesSql(path: string): string {
  const ofDay = `((epoch_ms(time_stamp) % ${DAY_MS} + ${DAY_MS}) % ${DAY_MS})`
  return `SELECT min(epoch_ms(time_stamp))::DOUBLE, max(epoch_ms(time_stamp))::DOUBLE,
    bit_or(1 << (${ofDay} // ${HOUR_MS})::INTEGER)::DOUBLE FROM read_parquet(${duckdb.text(path)})`
}

/** Of a file with rows. `times` is what `timesSql` answers. */
export function dateAbout(
  dataset: Dataset,
  { date, offset }: { readonly date: string; readonly offset: number },
  [, rows, , , columns]: CopyStats,
  [fromMs, toMs, hourBits]: readonly [number, number, number],
): FileAbout {
  const known = new Map(columns.map(({ key, value }) => [key, value]))
  const extreme = (name: string, which: 'min' | 'max') =>
    known.get(duckdb.name(name))?.find(({ key }) => key === which)?.value
  const side = (which: 'min' | 'max') => ({
    time_stamp: new Date(which === 'min' ? fromMs : toMs).toISOString(),
    ...Object.fromEntries(
      dataset.gauges.flatMap(({ name }) => {
        const value = extreme(name, which)
        // No row has the gauge.
        return value === undefined ? [] : [[name, Number(value)]]
      }),
    ),
    offset,
  })
  return {
    partition: { date },
    rows: Number(rows),
    min: side('min'),
    max: side('max'),
    tags: {
      hours: hoursTag(HOURS_OF_DAY.filter((hour) => (hourBits >> hour) & 1)),
      offsets: JSON.stringify({ [IMPORT_PARTITION]: [offset, offset] }),
      form: formText(formOf(dataset)),
    },
  }
}
