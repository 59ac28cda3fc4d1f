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
  list: (value) => `list(${value}) FILTER (${value} IS NOT NULL)`,
  // Maps of one list after the other: with an aggregate that counts as it goes each cell would have one of its own all the time.
  // The counted values come in order.
  runs(list) {
    const pair = 'struct_pack(bucket := pair.key, count := pair.value::BIGINT)'
    return `CASE WHEN len(${list}) > 0 THEN list_transform(map_entries(list_histogram(${list})), lambda pair: ${pair}) ELSE [] END`
  },
  joinedRuns: (list) => `list_sort(flatten(list(${list})))`,
  addedRuns,
}

/** The smallest normal double. */
const SMALLEST = '2.2250738585072014e-308'

/**
 * Runs of equal buckets of an ordered list of pairs: where each begins, then of each its bucket and the counts of its part of
 * the list, from one beginning up to the next.
 */
function addedRuns(list: string): string {
  const starts = `list_filter(range(1, len(${list}) + 1), lambda i: i = 1 OR ${list}[i].bucket <> ${list}[i - 1].bucket)`
  const ends = `list_append(${starts}[2:], len(${list}) + 1)`
  const counts = `list_transform(${list}[run[1]:run[2] - 1], lambda pair: pair.count)`
  const added = `struct_pack(bucket := ${list}[run[1]].bucket, count := list_sum(${counts})::BIGINT)`
  return `CASE WHEN len(${list}) > 0 THEN list_transform(list_zip(${starts}, ${ends}), lambda run: ${added}) ELSE [] END`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
