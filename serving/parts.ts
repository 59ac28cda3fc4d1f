import type { DataFile } from '../lake/delta/port.ts'
import { messagesIn, pickKey } from '../schemas/cells.ts'
import type { Parts, Range } from './answers.ts'
import { type BatchCells, batchRows, rowsWithin } from './merge.ts'
import type { Moment } from './moment.ts'

/**
 * What an answer about `key` was put together from, and how many messages each part gave. It must be asked at the moment of the
 * answer: then the messages of the parts add up to those of the answer. `bucketMs` is as the answer's.
 */
export function partsOf(at: Moment, batch: BatchCells, key: string, range: Range, bucketMs: number): Parts {
  const byPath = new Map<string, Parts['files'][number]>()
  for (const { date, rows } of batchRows(at, batch, key, range, bucketMs)) {
    const before = byPath.get(date.path)?.messages ?? 0
    const messages = before + messagesIn(rows.cells, rows.from, rows.to)
    byPath.set(date.path, { path: date.path, ...sizeOf(date.file), messages })
  }
  const ticks = at.index.loaded.ticks.map(({ file, partition, from, to }) => {
    const cells = at.index.ticks.get(file.path)
    const own = cells === null ? null : pickKey(cells, key)
    const rows = own === null ? null : rowsWithin(own, range)
    const messages = rows === null ? 0 : messagesIn(own!, rows.from, rows.to)
    return { partition, from, to, path: file.path, ...sizeOf(file), messages }
  })
  const open = at.open.map((part, i) => {
    const lists = part.cells(key, range.fromMs, range.toMs)
    const messages = lists.reduce((sum, cells) => sum + messagesIn(cells, 0, cells.length), 0)
    return { ...at.basis.open[i]!, messages }
  })
  return { files: [...byPath.values()], ticks, open }
}

/** Null where the file is no longer part of the newest version. */
export function sizeOf(file: DataFile | null): { rows: number | null; bytes: number | null } {
  return { rows: file?.rows ?? null, bytes: file?.size ?? null }
}
