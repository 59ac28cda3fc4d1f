/** What the API answers, as /openapi.json describes it. */

export interface Gauge {
  readonly name: string
  readonly unit: string
  readonly optional: boolean
}

export interface View {
  readonly name: string
  readonly dataset: string
  readonly key: readonly string[]
  readonly source: string | null
  readonly bucket_ms: number
  readonly gauges: readonly Gauge[]
  readonly measures: readonly string[]
  readonly definition: string
  readonly version: number | null
}

export interface Gap {
  readonly reason: string
  readonly from_time: string | null
  readonly to_time: string | null
}

export interface Whole {
  readonly complete: boolean
  readonly gaps?: readonly Gap[]
}

/** One gauge of an answer: `mean`, `max`, `max_time`, `max_SOURCE`, `min`, `p95`… */
export type Figures = { readonly [field: string]: number | string | null }

export interface Summary {
  readonly first_minute: string
  readonly last_minute: string
  readonly messages: number
  readonly [column: string]: string | number
}

/** What an answer was put together from. */
export interface Explain {
  readonly position: { readonly [partition: string]: number }
  readonly run: string | null
  readonly lake_version: number | null
  readonly files: readonly Sized[]
  readonly ticks: readonly Sized[]
  readonly open: readonly {
    readonly partition: number
    readonly from: number
    readonly to: number
    readonly messages: number
  }[]
}

interface Sized {
  readonly rows: number | null
  readonly bytes: number | null
  readonly messages: number
}

export interface Stats extends Whole {
  readonly from: string
  readonly to: string
  readonly messages: number
  readonly answered_by: { readonly batch: number; readonly realtime: number }
  readonly tidemark: { readonly [partition: string]: number }
  readonly view_version: number | null
  readonly explain?: Explain
  /** Key columns and gauges. */
  readonly [column: string]: unknown
}

export interface Page extends Whole {
  readonly total: number
  readonly next?: string
}

export type Column = readonly (number | null)[]

/** The columns of one key: per gauge its fields. */
export interface SeriesOfKey {
  readonly messages: Column
  readonly [column: string]: unknown
}

export interface Series extends SeriesOfKey, Whole {
  readonly t: readonly string[]
  readonly step_ms: number
}

export interface SeriesPage extends Page {
  readonly keys: readonly SeriesOfKey[]
  readonly t: readonly string[]
  readonly step_ms: number
}

export interface Cell {
  readonly time_stamp: string
  readonly messages: number
  readonly [column: string]: unknown
}

/** The newest cell of each key of a view, by `keyId`. */
export type Newest = ReadonlyMap<string, Cell>

/** One gauge's figures of stats, or fields of a cell. */
export const figures = (row: { readonly [name: string]: unknown }, gauge: string) =>
  (row[gauge] ?? {}) as { readonly [field: string]: number | string | null }

/** One field of one gauge of a series. */
export const column = (row: SeriesOfKey, gauge: string, field: string) =>
  ((row[gauge] as { [field: string]: Column } | undefined)?.[field] ?? []) as Column

/** The values of a row's key. */
export const keyOf = (view: View, row: { readonly [column: string]: unknown }) =>
  view.key.map((name) => String(row[name]))

/** A key as one string that no other has. */
export const keyId = (key: readonly string[]) => JSON.stringify(key)

/** Parameters that name a key. */
export const keyParams = (view: View, key: readonly string[]) =>
  Object.fromEntries(view.key.map((name, k) => [name, key[k]!]))
