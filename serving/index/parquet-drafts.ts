import { type FileColumn, parquetColumn } from '../../lake/parquet/cells.ts'
import { ParquetDraft } from '../../lake/parquet/codec.ts'
import type { CellColumn } from '../../schemas/cell-column.ts'

/** Parquet files that are being written, each by its number. Their bytes are given out as they come. */
export class ParquetDrafts {
  readonly #drafts = new Map<
    number,
    { readonly columns: readonly FileColumn[]; readonly draft: ParquetDraft }
  >()
  #last = 0

  begin(columns: readonly FileColumn[]): number {
    this.#drafts.set(++this.#last, { columns, draft: new ParquetDraft(columns) })
    return this.#last
  }

  /** Further rows, a row group of their own. */
  add(id: number, values: readonly CellColumn[]): Uint8Array {
    const { columns, draft } = this.#drafts.get(id)!
    draft.add(columns.map((column, c) => parquetColumn(column, values[c]!)))
    return draft.take()
  }

  /** The rest of the file. */
  end(id: number): Uint8Array {
    const { draft } = this.#drafts.get(id)!
    this.#drafts.delete(id)
    return draft.end()
  }

  /** Nobody wants the rest. */
  drop(id: number): void {
    this.#drafts.delete(id)
  }
}
