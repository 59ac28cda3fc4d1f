import {
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValueConverter,
  JsonDuckDBValueConverter,
} from '@duckdb/node-api'

/** A value of an answer, as JSON has it. */
export type QueryValue =
  | string
  | number
  | boolean
  | null
  | readonly QueryValue[]
  | { readonly [name: string]: QueryValue }

/**
 * What DuckDB returns, as JSON: whole numbers as numbers where a double holds them exactly and else as text, times as ISO 8601 in UTC,
 * everything else as DuckDB writes it.
 */
export const toQueryValue: DuckDBValueConverter<QueryValue> = (value, type, converter) => {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue)
    return value.isFinite ? isoOf(value.micros) : String(value)
  return JsonDuckDBValueConverter(value, type, converter as never) as QueryValue
}

const MICROS = 1_000n

/** With milliseconds, or with microseconds where there are some. */
function isoOf(micros: bigint): string {
  const rest = ((micros % MICROS) + MICROS) % MICROS
  const iso = new Date(Number((micros - rest) / MICROS)).toISOString()
  return rest === 0n ? iso : iso.replace('Z', `${String(rest).padStart(3, '0')}Z`)
}
