import { BUCKETS_AN_OCTAVE, EXPONENT_BIAS } from '../measures/buckets.ts'
import type { Dialect } from './dialect.ts'

/**
 * Spark's SQL (4.x), for a session with ANSI on and arrays that are null where they have no length
 * (`spark.sql.legacy.sizeOfNull=false`). Its default collation compares strings by their UTF-8 bytes, and structs field by
 * field.
 */
export const spark: Dialect = {
  name: (column) => `\`${column.replaceAll('`', '``')}\``,
  text: (value) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
  double: (value) => `${value.toExponential()}D`,
  epochMs: (timestamp) => `unix_millis(${timestamp})`,
  timestamp: (ms) => `timestamp_millis(${ms})`,
  long: (number) => `CAST(${number} AS BIGINT)`,
  struct(fields, unless) {
    const list = Object.entries(fields).map(([name, sql]) => `'${name}', ${sql}`)
    return `CASE WHEN ${unless} THEN NULL ELSE named_struct(${list.join(', ')}) END`
  },
  exactSum: (value) => `sum(${value})`,
  field: (struct, name) => `${struct}.${name}`,
  bucket(value) {
    // Powers of two are exact. A logarithm rounded over one gives the same bucket by way of the neighbouring octave.
    const bucketOf = (x: string) =>
      `CAST(floor(log2(${x})) * ${BUCKETS_AN_OCTAVE} + floor((${x} / pow(2D, floor(log2(${x}))) - 1D) * ${BUCKETS_AN_OCTAVE}D) + ${EXPONENT_BIAS * BUCKETS_AN_OCTAVE} AS INT)`
    return `CASE WHEN ${value} >= ${SMALLEST} THEN ${bucketOf(value)} WHEN ${value} <= -${SMALLEST} THEN -${bucketOf(`(-${value})`)} WHEN ${value} IS NULL THEN NULL ELSE 0 END`
  },
  // `collect_list` leaves NULL out.
  list: (value) => `sort_array(collect_list(${value}))`,
  runs: (list) =>
    runsOf(
      list,
      (at) => `${list}[${at}]`,
      (from, to) => `${to} - ${from}`,
    ),
  addedRuns(name, prefix) {
    const list = `${prefix}list`
    const added = runsOf(
      list,
      (at) => `${list}[${at}].bucket`,
      (from, to) =>
        `aggregate(slice(${list}, ${from} + 1, ${to} - ${from}), 0L, (sum, pair) -> sum + pair.\`count\`)`,
    )
    return {
      aggregates: [{ name: list, sql: `sort_array(flatten(collect_list(${name})))` }],
      results: [{ name, sql: added }],
    }
  },
}

/** The smallest normal double. */
const SMALLEST = '2.2250738585072014e-308D'

/**
 * Runs of equal buckets of an ordered list: where each begins, then of each its bucket and the count of its part of the
 * list. A list of one stands for a name: what a lambda is given is computed once.
 */
function runsOf(
  list: string,
  bucketAt: (at: string) => string,
  count: (from: string, to: string) => string,
): string {
  const begins = `i = 0 OR ${bucketAt('i')} <> ${bucketAt('greatest(i - 1, 0)')}`
  const starts = `filter(sequence(0, size(${list}) - 1), i -> ${begins})`
  const ends = `concat(slice(starts, 2, size(starts)), array(size(${list})))`
  const pair = `named_struct('bucket', ${bucketAt('begin')}, 'count', CAST(${count('begin', 'until')} AS BIGINT))`
  const runs = `zip_with(starts, ${ends}, (begin, until) -> ${pair})`
  return `CASE WHEN size(${list}) > 0 THEN transform(array(${starts}), starts -> ${runs})[0] ELSE CAST(array() AS ARRAY<STRUCT<bucket: INT, count: BIGINT>>) END`
}
