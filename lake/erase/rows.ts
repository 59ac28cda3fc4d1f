import type { Dataset } from '../../schemas/dataset.ts'
import { isError } from '../../schemas/errors.ts'
import type { Clock } from '../../schemas/ports/clock.ts'
import type { DataFile, Snapshot, Table } from '../delta/port.ts'
import type { SealEncoder } from '../writer/seal-files.ts'
import { type ErasedRows, mayHold } from './condition.ts'

export interface ErasingDeps {
  readonly dataset: Dataset
  readonly messages: Table
  readonly encoder: Pick<SealEncoder, 'without'>
  readonly clock: Clock
  /** Aborts when it is to stop; its reason is thrown. */
  readonly signal: AbortSignal
}

/** Rows that an erasure has taken out so far: a txn, so that each commit counts once and two that do the same exclude each other. */
const rowsApp = (id: string) => `erase/${id}`

/** Rows that the commits of an erasure have taken out. */
export function erasedRows(messages: Snapshot | null, id: string): number {
  return messages?.txns.get(rowsApp(id))?.version ?? 0
}

/**
 * Takes rows out of the table of messages, a commit a date; other commits may come in between:
 *
 *     files that may hold some ─▶ the same without them ─▶ commit: files out, files in, `erase/<id>` = rows so far
 *                 ▲                                                    │ a merge was faster
 *                 └────────────────────────────────────────────────────┘ until no file holds any
 *
 * It can be begun again at any point. Resolves with all rows that were taken out. Throws `E_FILE_DAMAGED` for a file that cannot be
 * read: what it holds is not known.
 */
export async function eraseRows(id: string, what: ErasedRows, deps: ErasingDeps): Promise<number> {
  const { messages, signal } = deps
  /** Files that hold none of the rows. */
  const clean = new Set<string>()
  for (;;) {
    signal.throwIfAborted()
    const base = await messages.snapshot()
    if (base === null) return 0
    const dates = suspects(base, what, clean)
    if (dates.size === 0) return erasedRows(base, id)
    try {
      await eraseDates(id, what, base, dates, clean, deps)
    } catch (error) {
      if (!isError(error, 'E_CONFLICT')) throw error
    }
  }
}

/** Rows that would be taken out, and of how many files. */
export async function countRows(
  what: ErasedRows,
  { dataset, messages, encoder, signal }: Omit<ErasingDeps, 'clock'>,
): Promise<{ rows: number; files: number }> {
  const found = { rows: 0, files: 0 }
  const base = await messages.snapshot()
  if (base === null) return found
  for (const [date, files] of suspects(base, what, new Set())) {
    for (const file of files) {
      signal.throwIfAborted()
      const { erased } = await encoder.without(dataset, await messages.readFile(file), date, what)
      found.rows += erased
      found.files += Number(erased > 0)
    }
  }
  return found
}

/** Files that may hold some of the rows, by date. */
function suspects(base: Snapshot, what: ErasedRows, clean: ReadonlySet<string>): Map<string, DataFile[]> {
  const dates = new Map<string, DataFile[]>()
  for (const file of base.files.values()) {
    if (clean.has(file.path) || !mayHold(file, what)) continue
    const date = file.partition.date!
    dates.set(date, [...(dates.get(date) ?? []), file])
  }
  return dates
}

async function eraseDates(
  id: string,
  what: ErasedRows,
  from: Snapshot,
  dates: ReadonlyMap<string, readonly DataFile[]>,
  clean: Set<string>,
  { dataset, messages, encoder, clock, signal }: ErasingDeps,
): Promise<void> {
  let base = from
  for (const [date, files] of dates) {
    const add: DataFile[] = []
    const remove: string[] = []
    let rows = 0
    for (const file of files) {
      signal.throwIfAborted()
      const { erased, file: left } = await encoder.without(dataset, await messages.readFile(file), date, what)
      clean.add(file.path)
      if (erased === 0) continue
      rows += erased
      remove.push(file.path)
      if (left !== null) add.push(await messages.writeFile(left.bytes, left.about))
    }
    if (remove.length === 0) continue
    const txn = { version: erasedRows(base, id) + rows, lastUpdatedMs: clock.nowMs() }
    base = await messages.commit(base, {
      operation: 'ERASE',
      add,
      remove,
      dataChange: true,
      txns: { [rowsApp(id)]: txn },
      info: { erasure: id, rows },
    })
    for (const { path } of add) clean.add(path)
  }
}
