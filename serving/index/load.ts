import type { DataFile, Snapshot, Table } from '../../lake/delta/port.ts'
import { decodeCells } from '../../lake/parquet/cells.ts'
import { logFacts } from '../../lake/tables/messages.ts'
import { viewState } from '../../lake/tables/published.ts'
import { chainFrom, type Tick, ticksOf } from '../../lake/tables/ticks.ts'
import type { CellRow } from '../../schemas/cell.ts'
import { describeError, isError } from '../../schemas/errors.ts'
import { offsetIn, partitionsOf } from '../../schemas/position.ts'
import { definitionHash, type View } from '../../schemas/view.ts'
import type { IndexStore, Load, Loaded } from './store.ts'

export interface LakeTables {
  readonly viewTable: Table
  readonly ticks: Table
  readonly messages: Table
}

/**
 * Looks at the lake and says what the index must change to stand on its newest version and the ticks that continue it;
 * null when it stands there already. The version is read before the ticks: a tick is removed only long after the tidemark
 * passed it, so ticks read later continue any version read earlier.
 */
export async function planLoad(
  store: IndexStore,
  tables: LakeTables,
  configured: View,
): Promise<Load | null> {
  const published = await tables.viewTable.snapshot()
  const tickSnapshot = await tables.ticks.snapshot()
  const messages = await tables.messages.snapshot()
  const seen = [published, tickSnapshot, messages]
  if (seen.every((snapshot, i) => snapshot === store.seen[i])) return null
  const ticks = ticksOf(tickSnapshot)
  const state = viewState(published)
  const hash = state?.hash ?? definitionHash(configured)
  const damaged: Loaded['damaged'][number][] = []

  const chains: Tick[][] = []
  const tidemark = state?.tidemark ?? {}
  const partitions = new Set([...partitionsOf(tidemark), ...ticks.map((tick) => tick.partition)])
  for (const partition of partitions) {
    chains.push(chainFrom(ticks, hash, partition, offsetIn(tidemark, partition)))
  }

  const have = store.ticks()
  const addTicks: { path: string; rows: readonly CellRow[] }[] = []
  for (const chain of chains) {
    for (const [i, tick] of chain.entries()) {
      if (have.has(tick.file.path)) continue
      try {
        addTicks.push({ path: tick.file.path, rows: await cellsOf(tables.ticks, configured, tick.file) })
      } catch (error) {
        if (!isError(error, 'E_FILE_DAMAGED')) throw error
        damaged.push({
          partition: tick.partition,
          from: tick.from,
          to: tick.to,
          reason: describeError(error),
        })
        chain.length = i
        break
      }
    }
  }

  const chainEnd: { [partition: number]: number } = {}
  for (const partition of partitionsOf(tidemark)) chainEnd[partition] = offsetIn(tidemark, partition)
  for (const chain of chains) {
    const last = chain.at(-1)
    if (last) chainEnd[last.partition] = last.to
  }
  const kept = chains.flat()
  const loaded: Loaded = {
    viewVersion: state ? published!.version : null,
    state,
    hash,
    chainEnd,
    ticks: kept.map(({ file: _, ...tick }) => tick),
    files: [...(published?.files.keys() ?? [])].sort(),
    messagesVersion: state?.messagesVersion ?? null,
    closed: logFacts(messages).closed,
    damaged,
  }
  // Damage may have been mended by the next look.
  if (damaged.length === 0) store.seen = seen
  if (JSON.stringify(loaded) === JSON.stringify(store.loaded)) return null
  const { dropDates, addDates } = await planDates(store, tables.viewTable, configured, published)
  return { loaded, dropDates, addDates, keepTicks: new Set(kept.map((tick) => tick.file.path)), addTicks }
}

/** Dates whose file is another than the one loaded. A date has one file. */
async function planDates(store: IndexStore, table: Table, view: View, published: Snapshot | null) {
  const wanted = new Map<string, DataFile>()
  for (const file of published?.files.values() ?? []) wanted.set(file.path, file)
  const loaded = store.files()
  const dropDates: string[] = []
  for (const [path, date] of loaded) if (!wanted.has(path)) dropDates.push(date)
  const addDates: { date: string; path: string; rows: readonly CellRow[] }[] = []
  for (const file of wanted.values()) {
    if (loaded.has(file.path)) continue
    addDates.push({ date: file.partition.date!, path: file.path, rows: await cellsOf(table, view, file) })
  }
  return { dropDates, addDates }
}

async function cellsOf(table: Table, view: View, file: DataFile): Promise<CellRow[]> {
  return decodeCells(view, await table.readFile(file))
}
