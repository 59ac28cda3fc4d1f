import type { Snapshot, Txn } from '../lake/delta/port.ts'
import type { CellFile } from '../lake/parquet/cells.ts'
import type { TickedView } from '../lake/tables/deployment.ts'
import { viewState } from '../lake/tables/published.ts'
import type { RepeatStates } from '../lake/tables/repeat-states.ts'
import { tickApp, tickCounterApp, tickEndApp, ticksOf, ticksSchema, tickTags } from '../lake/tables/ticks.ts'
import type { CellFold } from '../schemas/cell-fold.ts'
import type { Cells } from '../schemas/cells.ts'
import { isError, TidemarkError } from '../schemas/errors.ts'
import type { Clock } from '../schemas/ports/clock.ts'
import { offsetIn } from '../schemas/position.ts'
import { definitionHash, type View } from '../schemas/view.ts'
import { Chain } from './chain.ts'
import { replacedBy, targets } from './targets.ts'

export interface ChainsDeps {
  readonly clock: Clock
  /** Where what is known of repeats is kept; null where the log holds none. */
  readonly states: RepeatStates | null
  /** Makes the file of a tick, of what is in any of `parts`. */
  encode(parts: readonly Cells[]): Promise<CellFile>
  /** Lets whatever else waits for this thread have its turn. */
  turn(): Promise<void>
  /** Cells of a view in a tick, roughly. */
  readonly cellsMax: number
}

/**
 * The chains of one view over one partition: of the configured definition and, while they differ, of the published one.
 * The commit point of a tick is the Delta commit; until it returns the cells stay open, and after it they stay until the
 * serving index holds them. A lost race or an unclear commit discards nothing but time.
 */
export class ViewChains {
  readonly view: View
  readonly #tables: TickedView
  readonly #partition: number
  readonly #deps: ChainsDeps
  readonly chains = new Map<string, Chain>()

  constructor(tables: TickedView, partition: number, deps: ChainsDeps) {
    this.view = tables.view
    this.#tables = tables
    this.#partition = partition
    this.#deps = deps
  }

  /**
   * Brings the chains in line with the lake; the new ones. A view of which nothing is published begins where the log does:
   * the first run computes what was trimmed from the messages. `prepare` gives a new chain what it needs before it is folded.
   */
  async retarget(logStart: number, prepare: ((chain: Chain) => Promise<void>) | null): Promise<Chain[]> {
    const { published, ticks } = this.#tables
    const version = await published.snapshot()
    const wanted = targets(this.view, version, ticksOf(await ticks.snapshot()), this.#partition, logStart)
    for (const hash of this.chains.keys())
      if (!wanted.some((target) => target.hash === hash)) this.chains.delete(hash)
    const made: Chain[] = []
    for (const { hash, view, from, fromMs } of wanted) {
      if (this.chains.get(hash)?.committedTo === from) continue
      const chain = new Chain(view, hash, this.#partition, from, fromMs)
      if (prepare !== null) await prepare(chain)
      this.chains.set(hash, chain)
      made.push(chain)
    }
    return made
  }

  /**
   * Commits one tick of what was folded since the last, of much the first part, in the place of ticks that it overlaps; whether it did. With `vouches`
   * it says when all of the log had been read, and where nothing was folded, when it is due, a commit without cells says so.
   * Throws `E_CONFLICT` when another writer was first.
   */
  async commit(chain: Chain, { vouches, isDue }: { vouches: boolean; isDue: boolean }): Promise<boolean> {
    const { ticks } = this.#tables
    const { states } = this.#deps
    const base = (await ticks.snapshot()) as Snapshot
    const app = tickApp(chain.view.name, chain.hash, this.#partition)
    // A fold that begins behind older ticks (they straddled a tidemark) must reach their end first.
    const before = base.txns.get(app)?.version ?? -1
    if (chain.readTo < before) return false
    const said = { ...this.#counted(base, chain), ...this.#vouched(base, chain, vouches) }
    // What is kept of repeats, and said of the log's end, is as of all that was read.
    const isWhole = vouches || chain.repeats !== null
    const part = chain.freeze(before, isWhole ? undefined : this.#deps.cellsMax)
    if (part === null) {
      if (vouches && isDue && chain.atEndMs !== null)
        await ticks.commit(base, { operation: 'STILL HERE', dataChange: false, txns: said })
      return false
    }
    const { folds, ...range } = part
    if (range.gaps.length > 0) await this.#checkGoesOn(chain)
    const tick = { ...range, hash: chain.hash, partition: this.#partition }
    if (chain.repeats !== null)
      await states?.keep('speed', { partition: this.#partition, position: tick.to }, chain.repeats)
    const { bytes, about } = await this.#deps.encode(await this.#cellsOf(folds))
    const file = await ticks.writeFile(bytes, { ...about, tags: { ...about.tags, ...tickTags(tick) } })
    await ticks.commit(base, {
      operation: 'TICK',
      add: [file],
      remove: replacedBy(ticksOf(base), tick).map((old) => old.file.path),
      dataChange: true,
      txns: {
        [app]: { version: tick.to, lastUpdatedMs: tick.toMs },
        ...said,
      },
    })
    chain.committed(tick.to)
    return true
  }

  /**
   * Throws `E_CONFLICT` where a run has published what `chain` is still to commit: the log may have been trimmed under it since, and
   * what it could not read is in the lake.
   */
  async #checkGoesOn({ committedTo }: Chain): Promise<void> {
    const published = viewState(await this.#tables.published.snapshot())
    if (published === null || offsetIn(published.tidemark, this.#partition) <= committedTo) return
    throw new TidemarkError('E_CONFLICT', `${this.view.name}: a run published what was not committed yet`)
  }

  /** The cells of each fold; others have their turn between. */
  async #cellsOf(folds: readonly CellFold[]): Promise<Cells[]> {
    const parts: Cells[] = []
    for (const fold of folds) {
      if (parts.length > 0) await this.#deps.turn()
      parts.push(fold.cells())
    }
    return parts
  }

  #counted(base: Snapshot, { view, hash }: Chain): Record<string, Txn> {
    const counter = tickCounterApp(view.name, hash, this.#partition)
    return { [counter]: { version: (base.txns.get(counter)?.version ?? 0) + 1, lastUpdatedMs: null } }
  }

  /** All that was in the log then is in what is frozen next or before it: nothing is folded between the two. */
  #vouched(base: Snapshot, { view, hash, atEndMs }: Chain, vouches: boolean): Record<string, Txn> {
    if (!vouches || atEndMs === null) return {}
    const app = tickEndApp(view.name, hash, this.#partition)
    const before = base.txns.get(app)?.version ?? 0
    return { [app]: { version: Math.max(before, atEndMs), lastUpdatedMs: null } }
  }
}

/** Makes the table of ticks of a view; gives it the columns of the configured definition where they are others. */
export async function openTicks({ view, ticks }: TickedView): Promise<void> {
  const hash = definitionHash(view)
  const found = await ticks.create(ticksSchema(view), { 'tidemark.definition': hash })
  if (found.configuration['tidemark.definition'] === hash) return
  await ticks.commit(found, {
    operation: 'DEFINITION',
    dataChange: false,
    schema: ticksSchema(view),
    configuration: { ...found.configuration, 'tidemark.definition': hash },
  })
}

/** Whether a commit was lost to another writer. */
export function isLost(error: unknown): boolean {
  return isError(error, 'E_CONFLICT')
}
