import type { Table } from '../lake/delta/port.ts'
import type { CellRange } from '../schemas/cells.ts'
import { type Cells, pickKey } from '../schemas/cells.ts'
import { TidemarkError } from '../schemas/errors.ts'
import { serialQueue } from '../schemas/serial-queue.ts'
import type { Range } from './answers.ts'
import type { IndexLoader } from './index/loader.ts'
import type { IndexedDate, ViewIndex } from './index/view-index.ts'
import { rowsWithin } from './merge.ts'

/** Dates whose decoded minutes are kept; the least lately used go first. */
const DATES_MAX = 16
/** Dates that one question may read from the lake. */
export const OLD_DATES_MAX = 366

/** The minutes of dates that the index does not hold, read from the lake when they are asked for. */
export class OldMinutes {
  readonly #loader: IndexLoader
  readonly #cells = new Map<string, Cells>()
  readonly #inTurn = serialQueue()

  constructor(loader: IndexLoader) {
    this.#loader = loader
  }

  /**
   * Reads the dates that are not here, after all questions before: one that read beside another would push out what that one has
   * read. The caller that waits for it must ask at once. Throws `E_PARAMETER` when they are too many for one question.
   */
  read(table: Table, index: ViewIndex, dates: readonly IndexedDate[]): Promise<void> {
    return this.#inTurn(() => this.#read(table, index, dates))
  }

  async #read(table: Table, { view }: ViewIndex, dates: readonly IndexedDate[]): Promise<void> {
    if (dates.length > OLD_DATES_MAX)
      throw new TidemarkError(
        'E_PARAMETER',
        `minutes of ${dates.length} old days are too many for one question`,
        {
          field: 'from',
        },
      )
    const room = Math.max(DATES_MAX, dates.length)
    for (const { path, file } of dates) {
      const known = this.#cells.get(path)
      if (file === null) continue
      const cells = known ?? (await this.#loader.decode(view, await table.readFile(file)))
      this.#cells.delete(path)
      this.#cells.set(path, cells)
      for (const oldest of this.#cells.keys()) if (this.#cells.size > room) this.#cells.delete(oldest)
    }
  }

  /** The rows of `key` on a date within a range; null when the date was not read. */
  rows(date: IndexedDate, key: string, range: Range): CellRange | null {
    const cells = this.#cells.get(date.path)
    if (cells === undefined) return null
    const own = pickKey(cells, key)
    return { cells: own, ...rowsWithin(own, range) }
  }
}
