import { BUCKETS_AN_OCTAVE, EXPONENT_BIAS } from '../measures/buckets.ts'
import type { Dialect } from './dialect.ts'

/** DuckDB's SQL. */
export const duckdb: Dialect = {
  name: quoted,
  text: (value) => value.split('\0').map(literal).join(' || chr(0) || '),
  double: (value) => value.toExponential(),
  epochMs: (timestamp) => `epoch_ms(${timestamp})`,
  timestamp: (ms) => `make_timestamptz((${ms}) * 1000)`,
  long: (number) => `(${number})::BIGINT`,
  struct(fields, unless) {
    const list = Object.entries(fields).map(([name, sql]) => `${name} := ${sql}`)
    return `CASE WHEN ${unless} THEN NULL ELSE struct_pack(${list.join(', ')}) END`
  },
  exactSum: (value) => `fsum(${value})`,
  field: (struct, name) => `${struct}.${name}`,
  bucket(value) {
    // A logarithm that is rounded over a power of two gives the same bucket by way of the neighbouring octave.
    const bucketOf = (x: string) =>
      `(floor(log2(${x})) * ${BUCKETS_AN_OCTAVE} + floor((${x} / pow(2, floor(log2(${x}))) - 1) * ${BUCKETS_AN_OCTAVE}) + ${EXPONENT_BIAS * BUCKETS_AN_OCTAVE})::INTEGER`
    return `CASE WHEN ${value} >= ${SMALLEST} THEN ${bucketOf(value)} WHEN ${value} <= -${SMALLEST} THEN -${bucketOf(`(-${value})`)} WHEN ${value} IS NULL THEN NULL ELSE 0 END`
  },
  sortedList: (value) => `list_sort(list(${value}) FILTER (${value} IS NOT NULL))`,
  runs: (list) =>
    runsOf(
      list,
      (at) => `${list}[${at}]`,
      (from, to) => `${to} - ${from}`,
    ),
  joinedRuns: (list) => `list_sort(flatten(list(${list})))`,
  addedRuns: (list) =>
    runsOf(
      list,
      (at) => `${list}[${at}].bucket`,
      (from, to) => `list_sum(list_transform(${list}[${from}:${to} - 1], lambda pair: pair.count))`,
    ),
}

/** The smallest normal double. */
const SMALLEST = '2.2250738585072014e-308'

/**
 * Runs of equal buckets of an ordered list: where each begins, then of each its bucket and the count of its part of the
 * list, from one beginning up to the next.
 */
function runsOf(
  list: string,
  bucketAt: (at: string) => string,
  count: (from: string, to: string) => string,
): string {
  const starts = `list_filter(range(1, len(${list}) + 1), lambda i: i = 1 OR ${bucketAt('i')} <> ${bucketAt('i - 1')})`
  const ends = `list_append(${starts}[2:], len(${list}) + 1)`
  const pair = `struct_pack(bucket := ${bucketAt('pair[1]')}, count := (${count('pair[1]', 'pair[2]')})::BIGINT)`
  return `CASE WHEN len(${list}) > 0 THEN list_transform(list_zip(${starts}, ${ends}), lambda pair: ${pair}) ELSE [] END`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
