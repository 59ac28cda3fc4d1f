/**
 * One column of a file. Timestamps are milliseconds here and INT64 TIMESTAMP(MICROS, adjusted to UTC) in the file; sketches
 * are `SketchRows`, or lists of `{bucket, count}` with counts as bigints, a three-level LIST in the file.
 */
export interface ParquetColumn {
  readonly name: string
  readonly type: 'string' | 'long' | 'integer' | 'double' | 'boolean' | 'timestamp' | 'sketch'
  readonly nullable?: boolean
  readonly values: Sliced
  /**
   * `PLAIN` and `DELTA` (DELTA_BINARY_PACKED, for whole numbers) are quick to write for values that hardly repeat; absent,
   * a dictionary is tried. `BYTES`, for doubles without statistics: a dictionary with places of whole bytes is tried before that.
   */
  readonly encoding?: 'PLAIN' | 'DELTA' | 'BYTES'
  /** Whether row groups say its minimum and maximum: for columns by which readers skip. Absent: they do. */
  readonly statistics?: boolean
}

export interface Values<T = unknown> {
  readonly length: number
  readonly [i: number]: T
}

/** Values of which a row group at a time is asked for: arrays, and what makes theirs when it is asked. */
export interface Sliced<T = unknown> {
  readonly length: number
  slice(from: number, to: number): Values<T>
}
