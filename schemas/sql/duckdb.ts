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
  // Buckets are grouped, not looked for in lists: that takes memory by the cells' buckets alone, and of what can be spilled.
  addedRuns(name, _prefix, { query, keys, group }) {
    const same = keys.map((key) => `part.${key} = ${group}.${key}`).join(' AND ')
    const pairs = `SELECT unnest(part.${name}) AS pair FROM (${query}) AS part WHERE ${same}`
    const added = `SELECT pair.bucket AS bucket, sum(pair.count)::BIGINT AS count FROM (${pairs}) GROUP BY pair.bucket`
    const list = `SELECT list_sort(list(struct_pack(bucket := bucket, count := count))) FROM (${added})`
    return { aggregates: [], results: [{ name, sql: `coalesce((${list}), [])` }] }
  },
}

/** The smallest normal double. */
const SMALLEST = '2.2250738585072014e-308'

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
