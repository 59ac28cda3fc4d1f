import { HOUR_MS, MINUTE_MS } from '../../schemas/time.ts'

/**
 * Views of hosts' messages as SQL written by hand, with the columns that the product's own table has, so that both write
 * the same file. Ties in a maximum are broken as the product must: the earliest, then the smaller host.
 */
export interface FloorView {
  readonly name: string
  readonly keys: readonly string[]
  /** Maxima say the host. */
  readonly source: boolean
}

export const FLOOR_VIEWS: readonly FloorView[] = [
  { name: 'service_minute', keys: ['service'], source: true },
  { name: 'host_minute', keys: ['service', 'host'], source: false },
]

const GAUGES = ['cpu', 'ram', 'disk']

/** How a column comes from an aggregate of the messages of a cell. */
interface FloorColumn {
  readonly name: string
  readonly aggregate: { readonly name: string; readonly sql: string }
  readonly sql: string
}

/** Every column that a view may have, besides its keys and its minute. */
function columnsOf({ source }: FloorView): FloorColumn[] {
  const count = { name: 'messages', sql: 'count(*)' }
  return [
    { name: 'msg_num', aggregate: count, sql: 'messages' },
    ...GAUGES.flatMap((gauge) => {
      const total = { name: `total_${gauge}`, sql: `sum(${gauge})` }
      const least = { name: `least_${gauge}`, sql: `min(${gauge})` }
      const fields = `v := -${gauge}, t := time_stamp${source ? ', h := host' : ''}`
      const best = { name: `best_${gauge}`, sql: `min(struct_pack(${fields}))` }
      const buckets = { name: `buckets_${gauge}`, sql: `list_sort(list(${bucketOf(gauge)}))` }
      return [
        { name: gauge, aggregate: total, sql: total.name },
        { name: `max_${gauge}_time`, aggregate: best, sql: `${best.name}.t` },
        // Adding zero makes −0, the negation of a maximum of 0, plain 0.
        { name: `max_${gauge}`, aggregate: best, sql: `-${best.name}.v + 0` },
        { name: `max_${gauge}_host`, aggregate: best, sql: `${best.name}.h` },
        { name: `min_${gauge}`, aggregate: least, sql: least.name },
        { name: `${gauge}_sketch`, aggregate: buckets, sql: countsOf(buckets.name) },
      ]
    }),
  ]
}

/** Logarithmic bucket of a gauge that is never negative: 64 an octave, by exponent and first bits of the mantissa; 0 for zero. */
export function bucketOf(value: string): string {
  const exponent = `floor(log2(${value}))`
  const within = `floor((${value} / pow(2, ${exponent}) - 1) * 64)`
  return `CASE WHEN ${value} > 0 THEN ((${exponent} + 1023) * 64 + ${within})::INTEGER ELSE 0 END`
}

/** A sorted list of buckets as pairs of bucket and count. */
function countsOf(list: string): string {
  const starts = `list_filter(range(1, len(${list}) + 1), lambda i: i = 1 OR ${list}[i] <> ${list}[i - 1])`
  const ends = `list_append(${starts}[2:], len(${list}) + 1)`
  const pair = `struct_pack(bucket := ${list}[run[1]], count := (run[2] - run[1])::BIGINT)`
  return `list_transform(list_zip(${starts}, ${ends}), lambda run: ${pair})`
}

export interface DateFiles {
  readonly messages: readonly string[]
  /** The one hour that is computed again, in milliseconds since 1970, and the file that has the others. */
  readonly again?: { readonly hourMs: number; readonly others: string }
  readonly to: string
}

/**
 * Writes the cells of a date to one file, by key and time. `columns` are those of the product's table. Throws for one that
 * stands not here, for then the floor would do less than the product.
 */
export function copySql(view: FloorView, columns: readonly string[], files: DateFiles): string {
  const known = new Map(columnsOf(view).map((column) => [column.name, column]))
  const keys = view.keys.join(', ')
  const wanted = columns.filter((name) => name !== 'time_stamp' && !view.keys.includes(name))
  const made = wanted.map((name) => {
    const column = known.get(name)
    if (column === undefined) throw new Error(`the floor lacks column ${name} of ${view.name}`)
    return column
  })
  const aggregates = new Map(made.map(({ aggregate }) => [aggregate.name, aggregate.sql]))
  const { messages, again, to } = files
  const hour = again === undefined ? 'true' : inHour(again.hourMs)
  const cells = `SELECT ${keys}, make_timestamptz(minute * ${MINUTE_MS * 1_000}) AS time_stamp,
      ${made.map(({ name, sql }) => `${sql} AS ${name}`).join(', ')}
    FROM (SELECT ${keys}, epoch_ms(time_stamp) // ${MINUTE_MS} AS minute,
        ${[...aggregates].map(([name, sql]) => `${sql} AS ${name}`).join(', ')}
      FROM ${read(messages)} WHERE ${hour} GROUP BY ALL)`
  const others =
    again === undefined
      ? ''
      : ` UNION ALL SELECT ${keys}, time_stamp, ${wanted.join(', ')}
    FROM ${read([again.others])} WHERE NOT (${inHour(again.hourMs)})`
  return `COPY (SELECT * FROM (${cells}${others}) ORDER BY ${keys}, time_stamp)
  TO '${to}' (FORMAT parquet, COMPRESSION zstd)`
}

const read = (paths: readonly string[]) => `read_parquet([${paths.map((path) => `'${path}'`).join(', ')}])`
const inHour = (ms: number) => `epoch_ms(time_stamp) // ${HOUR_MS} = ${ms / HOUR_MS}`
