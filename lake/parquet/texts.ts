import { parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { orDamaged } from './codec.ts'

/** The different texts in columns of a Parquet file of `what`, in the order of rows. Throws `E_FILE_DAMAGED`. */
export function textsIn(
  what: string,
  bytes: Uint8Array,
  columns: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  return orDamaged(what, async () => {
    const texts = new Map(columns.map((column) => [column, new Set<string>()]))
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    await parquetRead({
      file,
      compressors,
      columns: [...columns],
      onChunk({ columnName, columnData }) {
        const own = texts.get(columnName)!
        let before: unknown
        // Rows are sorted by key: mostly it is the same as before.
        for (let i = 0; i < columnData.length; i++) {
          const text = columnData[i]
          if (text !== before && typeof text === 'string') own.add(text)
          before = text
        }
      },
    })
    return texts
  })
}
