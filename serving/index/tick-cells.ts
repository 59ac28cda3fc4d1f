import { CellFold } from '../../schemas/cell-fold.ts'
import { joinSummaries, type KeySummary, type WantedKeys } from '../../schemas/cell-rows.ts'
import type { Cells } from '../../schemas/cells.ts'
import type { Pause } from '../../schemas/ports/clock.ts'
import type { View } from '../../schemas/view.ts'

/** Cells of ticks that are folded between two turns of others: a few milliseconds. */
const ROWS_AT_ONCE = 5_000
/** A fold that may grow beyond so many cells is not grown but made anew beside: growing copies it all while everybody waits. */
const ROOM_MIN = 1 << 14

/** Some ticks of the chain, folded together. */
interface Layer {
  readonly fold: CellFold
  readonly paths: readonly string[]
  /** Cells of its ticks. */
  readonly rows: number
}

/**
 * The cells of the chain of ticks that continues a version, in memory: those between two runs. Each tick's are kept too,
 * so that the fold can be made again when the tidemark passed some.
 *
 * Small ticks are folded into what answers stand on, at the moment when these are let go. One of so many cells, or for which there is so
 * little room, that this would hold everybody up is folded beside it, into a layer of its own:
 *
 *     ├──── oldest ticks ────┤├── later ones ──┤├ newest ┤     each layer has more cells than the next
 *
 * A new layer takes in those before it that have no more cells than it has room for, so that there are few, and no cell is folded often.
 */
export class TickCells {
  readonly view: View
  readonly #byPath: ReadonlyMap<string, Cells>
  readonly #layers: readonly Layer[]

  private constructor(view: View, byPath: ReadonlyMap<string, Cells>, layers: readonly Layer[]) {
    this.view = view
    this.#byPath = byPath
    this.#layers = layers
  }

  static none(view: View): TickCells {
    return new TickCells(view, new Map(), [{ fold: new CellFold(view), paths: [], rows: 0 }])
  }

  /** How many folds an answer looks into. */
  get layers(): number {
    return this.#layers.length
  }

  get(path: string): Cells | null {
    return this.#byPath.get(path) ?? null
  }

  /** The cells of `keys` whose bucket starts in `[fromMs, toMs)`, in parts that are to be merged. */
  range(keys: WantedKeys, fromMs: number, toMs: number): Cells[] {
    return this.#layers.map(({ fold }) => fold.range(keys, fromMs, toMs))
  }

  /** What is known of every key, in parts that are to be joined. */
  *keys(): Iterable<KeySummary> {
    for (const { fold } of this.#layers) yield* fold.keys()
  }

  summary(key: string): KeySummary | null {
    const parts = this.#layers.flatMap(({ fold }) => fold.summary(key) ?? [])
    return parts.length === 0 ? null : parts.reduce(joinSummaries)
  }

  /**
   * Prepares the cells of the ticks `byPath` under `view`, while others have their turn. Where they only add few to these, a fold
   * grows when what is returned is called: what stood on these must not be asked any more.
   */
  async become(view: View, byPath: ReadonlyMap<string, Cells>, pause: Pause): Promise<() => TickCells> {
    const added = [...byPath].filter(([path]) => !this.#byPath.has(path))
    if (view !== this.view || byPath.size - added.length < this.#byPath.size) {
      const layer = await folded(view, byPath, [...byPath.keys()], pause)
      return () => new TickCells(view, byPath, [layer])
    }
    const rows = added.reduce((sum, [, cells]) => sum + cells.length, 0)
    const paths = added.map(([path]) => path)
    const last = this.#layers.at(-1)!
    if (rows <= ROWS_AT_ONCE && last.rows + rows <= Math.max(ROOM_MIN, last.fold.room)) {
      const grown = { fold: last.fold, paths: [...last.paths, ...paths], rows: last.rows + rows }
      return () => {
        for (const [, cells] of added) last.fold.merge(cells)
        return new TickCells(view, byPath, [...this.#layers.slice(0, -1), grown])
      }
    }
    const before = [...this.#layers]
    let taken = rows
    while (before.length > 0 && before.at(-1)!.rows <= Math.max(ROOM_MIN, taken)) {
      const layer = before.pop()!
      paths.unshift(...layer.paths)
      taken += layer.rows
    }
    const layer = await folded(view, byPath, paths, pause)
    return () => new TickCells(view, byPath, [...before, layer])
  }
}

/** The ticks of `paths`, folded into a layer. */
async function folded(
  view: View,
  byPath: ReadonlyMap<string, Cells>,
  paths: readonly string[],
  pause: Pause,
): Promise<Layer> {
  const all = paths.map((path) => byPath.get(path)!)
  const rows = all.reduce((sum, { length }) => sum + length, 0)
  const fold = new CellFold(view, Math.max(ROOM_MIN, rows))
  for (const cells of all) {
    for (let from = 0; from < cells.length; from += ROWS_AT_ONCE) {
      fold.merge(cells, { from, to: Math.min(cells.length, from + ROWS_AT_ONCE) })
      await pause()
    }
  }
  return { fold, paths, rows }
}
