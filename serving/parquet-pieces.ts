import type { FileColumn } from '../lake/parquet/cells.ts'
import type { CellColumn } from '../schemas/cell-column.ts'
import type { IndexLoader } from './index/loader.ts'

/** A Parquet file piece by piece, each of `parts` a row group, made where the loader is. */
export async function* parquetPieces(
  loader: Pick<IndexLoader, 'beginParquet' | 'addParquet' | 'endParquet' | 'dropParquet'>,
  columns: readonly FileColumn[],
  parts: Iterable<readonly CellColumn[]>,
): AsyncGenerator<Uint8Array> {
  const id = await loader.beginParquet(columns)
  try {
    for (const part of parts) yield await loader.addParquet(id, part)
    yield await loader.endParquet(id)
  } finally {
    // The client may be gone.
    await loader.dropParquet(id)
  }
}
