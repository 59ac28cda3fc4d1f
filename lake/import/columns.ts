import type { TextEncoding, TextHead } from './text-head.ts'

/** A file to import, as far as it is known before it is read. */
export interface ImportFile {
  readonly path: string
  readonly name: string
  /** Null: as it looks. */
  readonly format: ImportFormat | null
  readonly compression: ImportCompression
  /** SHA-256 of its content, in hexadecimal digits. */
  readonly sha256: string
  /** The beginning of its text, decompressed; for Parquet its first bytes. */
  readonly head: TextHead
  /** Whether that is all of it. */
  readonly isWhole: boolean
}

/** How a file that is to be imported is read, and what it holds: the one shape that the formats have in common. */
export interface ImportSource {
  readonly format: ImportFormat
  readonly compression: ImportCompression
  /** How its text is encoded, where it was not UTF-8. */
  readonly encoding?: TextEncoding
  readonly columns: readonly ImportColumn[]
  /** Of a CSV file. */
  readonly csv?: CsvForm
  /** Of JSON: an object a line, or one array of objects. */
  readonly json?: 'lines' | 'array'
  /** Where the rows were made of series. */
  readonly series?: SeriesMade
}

/** What rows were made of that stand otherwise in the file. */
export interface SeriesMade {
  /** What the file is, for a person. */
  readonly words: string
  /** Number of series in the file. */
  readonly count: number
  /** What its values are called: columns of the rows, unless there are more than rows have. */
  readonly values: readonly string[]
  /** Values left out, since another of the same series and time is taken. */
  readonly repeated: number
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
  /** Where it stands in an object of JSON, as RFC 6901 writes it; absent in other formats. */
  readonly pointer?: string
  /** Where it stands within a column of Parquet that has fields, as SQL; absent in others. */
  readonly field?: string
  /** Of times that stand in two columns: the date and the time of day, which make one text with a blank between. */
  readonly parts?: readonly [date: ImportColumn, clock: ImportColumn]
}

/** The columns of the file that a column is made of: itself, most often. */
export const ownColumns = (column: ImportColumn): readonly ImportColumn[] => column.parts ?? [column]

export interface CsvForm {
  readonly delimiter: string
  /** What stands before a quote within quotes. */
  readonly quoteEscape: '"' | '\\'
  /** Lines before the first row: the header, and what stands before it; without comments, where there are some. */
  readonly skip: number
  /** Whether lines that begin with `#` are comments. */
  readonly comments: boolean
}
