import { DAY_MS, utcDate } from '../../schemas/time.ts'
import type { ImportSource } from './columns.ts'
import { type Reading, type RowSpan, stagedSql } from './rows-sql.ts'

/** A Parquet file in which the rows of a date lie together is not copied first: all dates together read at most so many times its rows. */
const READ_TIMES_MAX = 2

/** A file that is read where it lies. */
export interface Direct {
  /** Its rows, staged, or those of a span of them, as a relation. */
  rows(span: RowSpan | null): string
  /** Of the UTC dates of rows that are not refused: how many, and between which they lie. */
  readonly days: ReadonlyMap<string, RowSpan & { readonly count: number }>
  readonly isRefused: boolean
}

/** Where the dates' rows lie in a Parquet file; null when it is better copied, date by date, than read where it lies. */
export async function lookAtDates(
  run: (sql: string) => Promise<readonly unknown[][]>,
  path: string,
  source: ImportSource,
  how: Reading,
): Promise<Direct | null> {
  const rows = (span: RowSpan | null) => `(${stagedSql(path, source, how, span)})`
  // By numbers of days: a text for each row takes longer than to read it.
  const found = (await run(
    `SELECT CASE WHEN why IS NULL THEN floor(ms / ${DAY_MS}) END AS number, count(*)::DOUBLE, min(r)::DOUBLE, max(r)::DOUBLE FROM ${rows(null)} GROUP BY number`,
  )) as [number | null, number, number, number][]
  const days = new Map<string, RowSpan & { readonly count: number }>()
  for (const [day, count, first, last] of found)
    if (day !== null) days.set(utcDate(day * DAY_MS), { count, first, last })
  const isRefused = days.size < found.length
  const all = found.reduce((sum, [, count]) => sum + count, 0)
  const read = [...days.values()].reduce((sum, { first, last }) => sum + last - first + 1, 0)
  return read > READ_TIMES_MAX * all ? null : { rows, days, isRefused }
}
