import type { DataFile } from '../../lake/delta/port.ts'
import type { ViewState } from '../../lake/tables/published.ts'
import type { Tick, Vouched } from '../../lake/tables/ticks.ts'
import type { KeySummary } from '../../schemas/cell-rows.ts'
import type { Position } from '../../schemas/position.ts'
import { definitionHash, storedDefinition, type View } from '../../schemas/view.ts'
import type { FilledFile, Kept } from './filling.ts'
import { TickCells } from './tick-cells.ts'

/** What answers of a view stand on: one published version and the ticks that continue it. */
export interface Loaded {
  /** Null before the first publish. */
  readonly viewVersion: number | null
  readonly state: ViewState | null
  /** Definition that the cells follow. */
  readonly hash: string
  /** Per partition, the end of the chain of ticks from the tidemark. */
  readonly chainEnd: Position
  /** Per partition of the log that only the lake tells of: what its ticks vouch for; null for nothing. */
  readonly vouched: readonly { readonly partition: number; readonly by: Vouched | null }[]
  readonly ticks: readonly Tick[]
  readonly files: readonly string[]
  readonly messagesVersion: number | null
  /** The newest version of `messages` seen, and the position that it covers. */
  readonly messagesSeen: number | null
  readonly covered: Position
  /** Partitions that take no more blocks: their last offset. */
  readonly closed: Position
  /** Ticks that could not be read: what is wrong, in words. */
  readonly damaged: readonly { partition: number; from: number; to: number; reason: string }[]
}

/** A date of the version: where its chunks are, and its file in the lake. */
export interface IndexedDate extends FilledFile {
  /** The midnight in UTC at which it begins, milliseconds since 1970. */
  readonly startMs: number
  readonly path: string
  readonly file: DataFile | null
}

/** One view's part of the index, as it is at one instant. It is replaced as a whole. */
export interface ViewIndex {
  readonly view: View
  readonly loaded: Loaded
  /** By the midnight in UTC at which a date begins, milliseconds since 1970. */
  readonly dates: ReadonlyMap<number, IndexedDate>
  /** Of the batch cells. */
  readonly keys: ReadonlyMap<string, KeySummary>
  readonly ticks: TickCells
}

/** What an index says of a view before it looked at the lake for the first time. */
export function emptyIndex(configured: View): ViewIndex {
  const loaded: Loaded = {
    viewVersion: null,
    state: null,
    hash: definitionHash(configured),
    chainEnd: {},
    vouched: [],
    ticks: [],
    files: [],
    messagesVersion: null,
    messagesSeen: null,
    covered: {},
    closed: {},
    damaged: [],
  }
  return {
    view: configured,
    loaded,
    dates: new Map(),
    keys: new Map(),
    ticks: TickCells.none(configured),
  }
}

/** The definition that a state of a view's table follows. Throws `E_NEWER`. */
export function viewOf(state: ViewState | null, configured: View): View {
  if (state === null || state.hash === definitionHash(configured)) return configured
  return storedDefinition(state)
}

/** An index of what `loaded` says and the loader keeps. */
export function indexOf(
  view: View,
  loaded: Loaded,
  { files, keys }: Kept,
  lakeFiles: ReadonlyMap<string, DataFile>,
  ticks: TickCells,
): ViewIndex {
  const dates = Array.from(files, ([path, filled]): [number, IndexedDate] => {
    const startMs = Date.parse(filled.date)
    return [startMs, { ...filled, startMs, path, file: lakeFiles.get(path) ?? null }]
  })
  return { view, loaded, dates: new Map(dates), keys: new Map(keys.map((key) => [key.key, key])), ticks }
}
