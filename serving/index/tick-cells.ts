import { CellFold } from '../../schemas/cell-fold.ts'
import type { Cells } from '../../schemas/cells.ts'
import type { Pause } from '../../schemas/ports/clock.ts'
import type { View } from '../../schemas/view.ts'

/** Cells of a tick that are folded between two turns of others: a few milliseconds. */
const ROWS_AT_ONCE = 5_000

/**
 * The cells of the chain of ticks that continues a version, in memory: those between two runs. Each tick's are kept too,
 * so that the fold can be made again when the tidemark passed some.
 */
export class TickCells {
  readonly view: View
  readonly #byPath: ReadonlyMap<string, Cells>
  readonly fold: CellFold

  private constructor(view: View, byPath: ReadonlyMap<string, Cells>, fold: CellFold) {
    this.view = view
    this.#byPath = byPath
    this.fold = fold
  }

  static none(view: View): TickCells {
    return new TickCells(view, new Map(), new CellFold(view))
  }

  get(path: string): Cells | null {
    return this.#byPath.get(path) ?? null
  }

  /**
   * Prepares the cells of the ticks `byPath` under `view`, while others have their turn. Where they only add to these, the fold is
   * the same and grows when what is returned is called: what stood on these must not be asked any more.
   */
  async become(view: View, byPath: ReadonlyMap<string, Cells>, pause: Pause): Promise<() => TickCells> {
    const added = [...byPath].filter(([path]) => !this.#byPath.has(path))
    if (view === this.view && byPath.size - added.length === this.#byPath.size)
      return () => {
        for (const [, cells] of added) this.fold.merge(cells)
        return new TickCells(view, byPath, this.fold)
      }
    const fold = new CellFold(view)
    for (const cells of byPath.values()) {
      for (let from = 0; from < cells.length; from += ROWS_AT_ONCE) {
        fold.merge(cells, { from, to: Math.min(cells.length, from + ROWS_AT_ONCE) })
        await pause()
      }
    }
    return () => new TickCells(view, byPath, fold)
  }
}
