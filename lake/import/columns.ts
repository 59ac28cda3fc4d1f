/** How a file that is to be imported is read, and what it holds: the one shape that the formats have in common. */
export interface ImportSource {
  readonly format: ImportFormat
  readonly compression: ImportCompression
  readonly columns: readonly ImportColumn[]
  /** Of a CSV file. */
  readonly csv?: CsvForm
}

export const IMPORT_FORMATS = ['csv', 'ndjson', 'parquet'] as const
export type ImportFormat = (typeof IMPORT_FORMATS)[number]

export type ImportCompression = 'none' | 'gzip' | 'zstd'

export interface ImportColumn {
  readonly name: string
  /** The engine's type; `VARCHAR` in all formats but Parquet. */
  readonly type: string
  /** Some of its values as text, from the head of the file; empty ones left out. */
  readonly samples: readonly string[]
}

export interface CsvForm {
  readonly delimiter: string
  /** Lines before the first row: the header, and what stands before it; without comments, where there are some. */
  readonly skip: number
  /** Whether lines that begin with `#` are comments. */
  readonly comments: boolean
}
