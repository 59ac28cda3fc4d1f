import { CellFold } from '../../schemas/cell-fold.ts'
import type { Cells } from '../../schemas/cells.ts'
import type { View } from '../../schemas/view.ts'

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
   * The cells of the ticks `byPath` under `view`. Where they only add to these, the fold is the same and grows: what stood on
   * these must not be asked any more.
   */
  become(view: View, byPath: ReadonlyMap<string, Cells>): TickCells {
    const added = [...byPath].filter(([path]) => !this.#byPath.has(path))
    const grows = view === this.view && byPath.size - added.length === this.#byPath.size
    const fold = grows ? this.fold : new CellFold(view)
    for (const [, cells] of grows ? added : byPath) fold.merge(cells)
    return new TickCells(view, byPath, fold)
  }
}
