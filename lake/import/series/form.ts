import type { ImportStage } from '../stage.ts'
import type { SeriesName } from './series-name.ts'

/** A file that has a row, a column or an object for each series: other tools' exports. */
export interface SeriesForm {
  /** For a person. */
  readonly words: string
  /** What the time is called. */
  readonly time: string
  /** A relation with the time `t`, the value `v` and the series `s` of each value, all as text; of some it is known once the file was looked into. */
  readonly rows: string | ((stage: ImportStage) => Promise<string>)
  /** What a value of `s` names. */
  readonly nameOf: (s: string) => SeriesName
  /** Whether all of it is one object, which takes memory as a whole. */
  readonly isOneObject?: boolean
  /** Where each object takes memory as a whole: bytes that it may have. */
  readonly objectBytesMax?: number
}
