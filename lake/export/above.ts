import type { TextColumn } from '../../schemas/cell-column.ts'
import { CellFold } from '../../schemas/cell-fold.ts'
import { type Cells, pickRows, timesOf } from '../../schemas/cells.ts'
import { joinKey } from '../../schemas/key.ts'
import { offsetIn } from '../../schemas/position.ts'
import { utcDate } from '../../schemas/time.ts'
import { parseDefinition } from '../../schemas/view.ts'
import type { Snapshot } from '../delta/port.ts'
import { decodeCells } from '../parquet/cells.ts'
import type { ViewTables } from '../tables/deployment.ts'
import { viewState } from '../tables/published.ts'
import { chainFrom, ticksOf } from '../tables/ticks.ts'

/** What the real-time layer has of a view beyond a published version. */
export interface Above {
  /** Cells of the ticks, each with that of the version which it adds to: they stand in the place of those. */
  readonly cells: Cells
  readonly ticks: number
  /** Log time up to which version and ticks hold every message, milliseconds since 1970; 0: none of the log. */
  readonly upToMs: number
}

/** Folds the ticks that follow `version` without a break into its cells; null before a publish. Throws `E_FILE_DAMAGED`. */
export async function cellsAbove(
  { published, ticks }: Pick<ViewTables, 'published' | 'ticks'>,
  version: Snapshot | null,
): Promise<Above | null> {
  const state = viewState(version)
  if (version === null || state === null) return null
  const view = parseDefinition(state.definition)
  const known = ticksOf(await ticks.snapshot())
  const partitions = new Set([
    ...Object.keys(state.logTimeMs ?? {}).map(Number),
    ...known.filter(({ hash }) => hash === state.hash).map(({ partition }) => partition),
  ])
  const chains = [...partitions].map((partition) => {
    const chain = chainFrom(known, state.hash, partition, offsetIn(state.tidemark, partition))
    return { chain, upToMs: chain.at(-1)?.toMs ?? state.logTimeMs?.[partition] ?? 0 }
  })
  const fold = new CellFold(view)
  for (const { file } of chains.flatMap(({ chain }) => chain))
    fold.merge(await decodeCells(view, await ticks.readFile(file)))
  const added = fold.cells()
  const dates = new Set(Array.from(timesOf(added), utcDate))
  const names = new Set(namesOf(added))
  for (const file of version.files.values()) {
    if (!dates.has(file.partition.date!)) continue
    const cells = await decodeCells(view, await published.readFile(file))
    const rows = namesOf(cells).flatMap((name, i) => (names.has(name) ? [i] : []))
    fold.merge(pickRows(cells, Uint32Array.from(rows)))
  }
  return {
    cells: fold.cells(),
    ticks: chains.reduce((sum, { chain }) => sum + chain.length, 0),
    upToMs: chains.length === 0 ? 0 : Math.min(...chains.map(({ upToMs }) => upToMs)),
  }
}

/** Key and time of each cell as one text. */
function namesOf(cells: Cells): string[] {
  const parts = cells.view.key.map((_, k) => (cells.columns[k] as TextColumn).values)
  return Array.from(timesOf(cells), (timeMs, i) => {
    const key = joinKey(parts.map(({ dictionary, places }) => dictionary[places[i]!]!))
    return `${timeMs} ${key}`
  })
}
