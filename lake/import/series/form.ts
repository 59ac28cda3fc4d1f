import type { ImportCompression } from '../columns.ts'
import type { ImportEngine } from '../engine.ts'
import { linesSql } from '../rows-sql.ts'
import type { SeriesName } from './series-name.ts'

/** A file that has a row, a column or an object for each series: other tools' exports. */
export interface SeriesForm {
  /** For a person. */
  readonly words: string
  /** What the time is called. */
  readonly time: string
  /** A relation with the time `t`, the value `v` and the series `s` of each value, all as text; of some it is known once the file was looked into. */
  readonly rows: string | ((engine: ImportEngine) => Promise<string>)
  /** What a value of `s` names. */
  readonly nameOf: (s: string) => SeriesName
  /** What a line is refused for of which `rows` has no `s`, its number as `t` and itself as `v`. */
  readonly torn?: string
  /** What may be done where there are no values. */
  readonly emptyHint?: string
  /** Whether all of it is one object, which takes memory as a whole. */
  readonly isOneObject?: boolean
  /** Where each object takes memory as a whole: bytes that it may have. */
  readonly objectBytesMax?: number
}

/** The lines of a text that say something, as `line`, with their numbers `n`, from 1. */
export function textLines(path: string, compression: ImportCompression): string {
  return `(SELECT n, line FROM (SELECT row_number() OVER () AS n, json_text AS line FROM ${linesSql(path, compression)})
    WHERE trim(line, E' \\t\\r') <> '' AND line NOT LIKE '#%')`
}
