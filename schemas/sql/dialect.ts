/**
 * How one engine writes what the measures and views ask of it. All of it works on 64-bit doubles and whole numbers,
 * compares strings by their UTF-8 bytes, and treats NULL as no value.
 */
export interface Dialect {
  /** A column's name. */
  name(column: string): string
  /** A string as a literal. */
  text(value: string): string
  /** A double as a literal, exactly: without an exponent most engines would take it for a decimal. */
  double(value: number): string
  /** Milliseconds since 1970 of a timestamp. */
  epochMs(timestamp: string): string
  /** The timestamp of milliseconds since 1970. */
  timestamp(ms: string): string
  /** A whole number of 64 bits. */
  long(number: string): string
  /** A struct that compares field by field; an aggregate `min` of it takes the least. NULL when `unless` holds. */
  struct(fields: { readonly [name: string]: string }, unless: string): string
  field(struct: string, name: string): string
  /** Aggregate: the sum of doubles, with what each addition rounds off as far as the engine can. */
  exactSum(value: string): string
  /** The bucket (`measures/buckets.ts`) of a double, a whole number of 32 bits. */
  bucket(value: string): string
  /** Aggregate: the values that are not NULL as a list, in the order that `runs` needs; an empty list or NULL where there are none. */
  list(value: string): string
  /** Of such a list, each value with how often it stands there: `[{bucket, count}]`, ascending; empty for NULL. */
  runs(list: string): string
  /**
   * Of partial results, which have a list of `{bucket, count}` in column `name`: `name` as one list with the counts of equal
   * buckets added, ascending. Columns in between have names that begin with `prefix`.
   */
  addedRuns(name: string, prefix: string, parts: PartialResults): SqlStage
}

/** Partial results that are added up. */
export interface PartialResults {
  /** All of them, as a query. */
  readonly query: string
  /** Their columns by which they are grouped; none is NULL. */
  readonly keys: readonly string[]
  /** What results call the group that they are of. */
  readonly group: string
}

/** A column of a query. */
export interface SqlColumn {
  readonly name: string
  readonly sql: string
}

/**
 * What a query aggregates and what it makes of that, row by row: two levels, since an aggregate cannot be looked into
 * where it is computed.
 */
export interface SqlStage {
  readonly aggregates: readonly SqlColumn[]
  /** Over the names of `aggregates`. */
  readonly results: readonly SqlColumn[]
}

/** A measure of one gauge as SQL. Partial results are columns whose names begin with `prefix`. */
export interface MeasureSql {
  /** From rows with a double `value`, their time `ms` and their `source`, both columns' names as given. */
  map(of: { readonly value: string; readonly ms: string; readonly source: string | null }): SqlStage
  /** From rows of partial results. */
  reduce(parts: PartialResults): SqlStage
  /** The measure's columns, in their order, of partial results. */
  final(): readonly string[]
}

/** A stage that takes its aggregates as they are. */
export function plainStage(aggregates: readonly SqlColumn[]): SqlStage {
  return { aggregates, results: aggregates.map(({ name }) => ({ name, sql: name })) }
}
