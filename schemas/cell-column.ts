import { type StringColumn, toStringColumn } from './string-column.ts'

/** What a column of cells holds. */
export type ColumnType = 'string' | 'double' | 'long' | 'timestamp' | 'sketch'

/** One column. Numbers are doubles, NaN where there is none; times are milliseconds since 1970. */
export type CellColumn = TextColumn | NumberColumn | SketchColumn

export interface TextColumn {
  readonly type: 'string'
  readonly values: StringColumn<string | null>
}

export interface NumberColumn {
  readonly type: 'double' | 'long' | 'timestamp'
  readonly values: Float64Array
}

/** Counts of values in logarithmic buckets: row `i` has the pairs from `offsets[i]` to `offsets[i + 1]`, buckets ascending. */
export interface SketchColumn {
  readonly type: 'sketch'
  readonly offsets: Uint32Array
  readonly buckets: Int32Array
  readonly counts: Float64Array
}

/** A column of no rows. */
export function emptyColumn(type: ColumnType): CellColumn {
  if (type === 'string') return { type, values: { dictionary: [], places: new Uint32Array() } }
  if (type !== 'sketch') return { type, values: new Float64Array() }
  return { type, offsets: new Uint32Array(1), buckets: new Int32Array(), counts: new Float64Array() }
}

/** The values of a row, as JSON has them: times in milliseconds, sketches as lists of pairs. */
export type CellValue = string | number | null | readonly (readonly [bucket: number, count: number])[]

/** The value of row `i`. */
export function valueAt(column: CellColumn, i: number): CellValue {
  if (column.type === 'string') return column.values.dictionary[column.values.places[i]!]!
  if (column.type !== 'sketch') {
    const value = column.values[i]!
    return Number.isNaN(value) ? null : value
  }
  const pairs: [number, number][] = []
  for (let at = column.offsets[i]!; at < column.offsets[i + 1]!; at++)
    pairs.push([column.buckets[at]!, column.counts[at]!])
  return pairs
}

/** A column of plain values. */
export function columnOf(type: ColumnType, values: readonly CellValue[]): CellColumn {
  if (type === 'string') return { type, values: toStringColumn(values as (string | null)[]) }
  if (type !== 'sketch')
    return { type, values: Float64Array.from(values as (number | null)[], (value) => value ?? Number.NaN) }
  const pairs = values as readonly (readonly [number, number])[][]
  const offsets = new Uint32Array(values.length + 1)
  for (let i = 0; i < pairs.length; i++) offsets[i + 1] = offsets[i]! + pairs[i]!.length
  return {
    type,
    offsets,
    buckets: Int32Array.from(pairs.flat(), ([bucket]) => bucket),
    counts: Float64Array.from(pairs.flat(), ([, count]) => count),
  }
}

/** The rows `rows` of a column, in that order. */
export function pickColumn(column: CellColumn, rows: Uint32Array): CellColumn {
  if (column.type === 'sketch') return pickSketch(column, rows)
  if (column.type === 'string') {
    const places = new Uint32Array(rows.length)
    for (let i = 0; i < rows.length; i++) places[i] = column.values.places[rows[i]!]!
    return { type: 'string', values: { dictionary: column.values.dictionary, places } }
  }
  const values = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) values[i] = column.values[rows[i]!]!
  return { type: column.type, values }
}

/** Some rows of a column. */
export interface ColumnPart<T extends CellColumn = CellColumn> {
  readonly column: T
  readonly from: number
  readonly to: number
}

/** Rows of columns of one type behind each other, `length` in all. */
export function joinColumns(parts: readonly ColumnPart[], length: number): CellColumn {
  const { type } = parts[0]!.column
  if (type === 'sketch') return joinSketches(parts as readonly ColumnPart<SketchColumn>[], length)
  if (type === 'string') return joinTexts(parts as readonly ColumnPart<TextColumn>[], length)
  const values = new Float64Array(length)
  let end = 0
  for (const { column, from, to } of parts as readonly ColumnPart<NumberColumn>[]) {
    values.set(column.values.subarray(from, to), end)
    end += to - from
  }
  return { type, values }
}

function joinTexts(parts: readonly ColumnPart<TextColumn>[], length: number): TextColumn {
  const placeOf = new Map<string | null, number>()
  const places = new Uint32Array(length)
  let end = 0
  // By place in the dictionary of a part, which the next often shares, and which may hold far more than its rows have.
  let joined: number[] = []
  let joinedOf: readonly (string | null)[] | null = null
  for (const { column, from, to } of parts) {
    const { dictionary, places: own } = column.values
    if (dictionary !== joinedOf) joined = []
    joinedOf = dictionary
    for (let i = from; i < to; i++) {
      const place = own[i]!
      let at = joined[place]
      if (at === undefined) {
        const text = dictionary[place]!
        at = placeOf.get(text) ?? placeOf.size
        placeOf.set(text, at)
        joined[place] = at
      }
      places[end++] = at
    }
  }
  return { type: 'string', values: { dictionary: [...placeOf.keys()], places } }
}

function joinSketches(parts: readonly ColumnPart<SketchColumn>[], length: number): SketchColumn {
  const offsets = new Uint32Array(length + 1)
  let end = 0
  for (const { column, from, to } of parts)
    for (let i = from; i < to; i++, end++)
      offsets[end + 1] = offsets[end]! + column.offsets[i + 1]! - column.offsets[i]!
  const buckets = new Int32Array(offsets[length]!)
  const counts = new Float64Array(offsets[length]!)
  let pairs = 0
  for (const { column, from, to } of parts) {
    const [first, last] = [column.offsets[from]!, column.offsets[to]!]
    buckets.set(column.buckets.subarray(first, last), pairs)
    counts.set(column.counts.subarray(first, last), pairs)
    pairs += last - first
  }
  return { type: 'sketch', offsets, buckets, counts }
}

function pickSketch({ offsets, buckets, counts }: SketchColumn, rows: Uint32Array): SketchColumn {
  const own = new Uint32Array(rows.length + 1)
  for (let i = 0; i < rows.length; i++) own[i + 1] = own[i]! + offsets[rows[i]! + 1]! - offsets[rows[i]!]!
  const ownBuckets = new Int32Array(own[rows.length]!)
  const ownCounts = new Float64Array(own[rows.length]!)
  for (let i = 0; i < rows.length; i++) {
    const [from, to] = [offsets[rows[i]!]!, offsets[rows[i]! + 1]!]
    ownBuckets.set(buckets.subarray(from, to), own[i])
    ownCounts.set(counts.subarray(from, to), own[i])
  }
  return { type: 'sketch', offsets: own, buckets: ownBuckets, counts: ownCounts }
}
