import type { DataFile, Snapshot } from '../../lake/delta/port.ts'
import type { DatasetTables, ViewTables } from '../../lake/tables/deployment.ts'
import { coveredPosition, logFacts } from '../../lake/tables/messages.ts'
import { viewState } from '../../lake/tables/published.ts'
import { chainFrom, type Tick, ticksOf, vouchedBy } from '../../lake/tables/ticks.ts'
import type { Cells } from '../../schemas/cells.ts'
import { describeError, isError } from '../../schemas/errors.ts'
import type { Pause } from '../../schemas/ports/clock.ts'
import { offsetIn, partitionsOf } from '../../schemas/position.ts'
import { DAY_MS, utcDate } from '../../schemas/time.ts'
import { definitionHash, type View } from '../../schemas/view.ts'
import type { IndexLoader } from './loader.ts'
import { indexOf, type Loaded, type ViewIndex, viewOf } from './view-index.ts'

export interface LoadDeps {
  readonly dataset: DatasetTables
  readonly tables: ViewTables
  readonly loader: IndexLoader
  /** Days before the newest date of a version whose minutes are kept. */
  readonly indexDays: number
  /** The log's partitions where only ticks tell of the newest messages; empty where open cells do. */
  readonly partitions: readonly number[]
  readonly closed: () => boolean
  /** Lets others have their turn. */
  readonly pause: Pause
}

/** What was seen of the lake; the same objects when nothing changed. */
export interface Seen {
  readonly published: Snapshot | null
  readonly ticks: Snapshot | null
  readonly messages: Snapshot | null
}

/**
 * The version is read before the ticks: a tick is removed only long after the tidemark passed it, so ticks read later
 * continue any version read earlier.
 */
export async function look({ dataset, tables }: LoadDeps): Promise<Seen> {
  const published = await tables.published.snapshot()
  const ticks = await tables.ticks.snapshot()
  return { published, ticks, messages: await dataset.messages.snapshot() }
}

/** An index that was prepared. */
export interface Prepared {
  /** Whether it holds all that was seen of the lake; else it is to be loaded again, on top of this. */
  readonly isWhole: boolean
  /** Makes it of the one before, which must not be asked any more: the caller takes the result at once. */
  take(): ViewIndex
}

/** Cells of new ticks that one step takes at most, unless a single tick has more. */
const CELLS_AT_ONCE = 5_000

/**
 * Prepares the index of a view for what was seen of the lake; of many new ticks for the first of each chain, for which the others
 * follow. Null when it was closed meanwhile.
 */
export async function load(before: ViewIndex, seen: Seen, deps: LoadDeps): Promise<Prepared | null> {
  const { tables, loader, pause } = deps
  const state = viewState(seen.published)
  const view = viewOf(state, tables.view)
  const { chains, isWhole } = firstOf(chainsOf(seen, tables.view, state), view, before)
  const ticks = await readTicks(chains.flat(), view, before, deps)
  // Of what is not taken yet nothing is vouched for.
  const { vouched } = before.loaded
  const loaded = { ...loadedOf(seen, chains, ticks, deps), ...(!isWhole && { vouched }) }
  const files = [...(seen.published?.files.values() ?? [])]
  await fillMissing(view, files, deps)
  if (deps.closed()) return null
  const paths = files.map(({ path }) => path)
  const kept = await loader.kept(tables.view.name, paths)
  if (deps.closed()) return null
  const byPath = new Map(files.map((file) => [file.path, file]))
  const cells = await before.ticks.become(view, ticks.cells, pause)
  if (deps.closed()) return null
  return { isWhole, take: () => indexOf(view, loaded, kept, byPath, cells()) }
}

/** Of chains that continue those of `before` the beginnings that are folded in one step; of others all. */
function firstOf(
  chains: readonly Tick[][],
  view: View,
  before: ViewIndex,
): { readonly chains: readonly Tick[][]; readonly isWhole: boolean } {
  const known = new Set(before.loaded.ticks.map(({ file }) => file.path))
  const paths = new Set(chains.flat().map(({ file }) => file.path))
  if (view !== before.ticks.view || [...known].some((path) => !paths.has(path)))
    return { chains, isWhole: true }
  let cells = 0
  const first = chains.map((chain) => {
    const end = chain.findIndex(({ file }) => {
      if (known.has(file.path)) return false
      if (cells > 0 && cells + file.rows > CELLS_AT_ONCE) return true
      cells += Math.max(1, file.rows)
      return false
    })
    return end < 0 ? chain : chain.slice(0, end)
  })
  return { chains: first, isWhole: first.every((chain, i) => chain.length === chains[i]!.length) }
}

function chainsOf(seen: Seen, configured: View, state: Loaded['state']): Tick[][] {
  const ticks = ticksOf(seen.ticks)
  const hash = state?.hash ?? definitionHash(configured)
  const tidemark = state?.tidemark ?? {}
  const partitions = new Set([...partitionsOf(tidemark), ...ticks.map((tick) => tick.partition)])
  return [...partitions].map((partition) => chainFrom(ticks, hash, partition, offsetIn(tidemark, partition)))
}

interface ReadTicks {
  readonly cells: ReadonlyMap<string, Cells>
  readonly damaged: Loaded['damaged']
}

/** The cells of the ticks. One that cannot be read is damage: what comes after it in its chain counts all the same. */
async function readTicks(
  chain: readonly Tick[],
  view: View,
  before: ViewIndex,
  { tables, loader }: LoadDeps,
): Promise<ReadTicks> {
  const cells = new Map<string, Cells>()
  const damaged: Loaded['damaged'][number][] = []
  for (const { file, partition, from, to } of chain) {
    const known = view === before.ticks.view ? before.ticks.get(file.path) : null
    try {
      cells.set(file.path, known ?? (await loader.decode(view, await tables.ticks.readFile(file))))
    } catch (error) {
      if (!isError(error, 'E_FILE_DAMAGED')) throw error
      damaged.push({ partition, from, to, reason: describeError(error) })
    }
  }
  return { cells, damaged }
}

function loadedOf(
  { published, messages, ticks }: Seen,
  chains: readonly Tick[][],
  { damaged }: ReadTicks,
  { tables: { view }, partitions }: LoadDeps,
): Loaded {
  const state = viewState(published)
  const hash = state?.hash ?? definitionHash(view)
  const chainEnd: { [partition: number]: number } = { ...state?.tidemark }
  for (const chain of chains) {
    const last = chain.at(-1)
    if (last) chainEnd[last.partition] = last.to
  }
  return {
    viewVersion: state ? published!.version : null,
    state,
    hash,
    chainEnd,
    vouched: partitions.map((p) => ({ partition: p, by: vouchedBy(ticks, view.name, hash, p) })),
    ticks: chains.flat(),
    files: [...(published?.files.keys() ?? [])].sort(),
    messagesVersion: state?.messagesVersion ?? null,
    messagesSeen: messages?.version ?? null,
    covered: coveredPosition(messages),
    closed: logFacts(messages).closed,
    damaged,
  }
}

/** Fills the files that are not in the index, or lack the minutes that they should have; the newest first. */
async function fillMissing(view: View, files: readonly DataFile[], deps: LoadDeps): Promise<void> {
  const { tables, loader, indexDays, closed } = deps
  const filled = await loader.filled(tables.view.name)
  const newest = files.reduce((last, { partition }) => (partition.date! > last ? partition.date! : last), '')
  const oldest = newest === '' ? '' : utcDate(Date.parse(newest) - (indexDays - 1) * DAY_MS)
  const sorted = [...files].sort((a, b) => (a.partition.date! < b.partition.date! ? 1 : -1))
  for (const file of sorted) {
    const date = file.partition.date!
    const minutes = date >= oldest
    const has = filled.get(file.path)
    if (has === true || (has === false && !minutes)) continue
    const bytes = await tables.published.readFile(file)
    if (closed()) return
    await loader.fill({ view, path: file.path, date, minutes, bytes })
  }
}
