import type { Position } from '../../schemas/position.ts'
import { beginLike, hasCovered } from './begin-like.ts'
import { closeLostPartitions } from './lost-partitions.ts'
import type { MessageTable } from './message-table.ts'

/**
 * Brings the tables of a deployment in line with its datasets and its log, before anything is sealed: makes those that are
 * new, lets them begin where the others are, and closes the partitions that the lake names and the log no longer holds.
 */
export async function beginTables(
  tables: readonly MessageTable[],
  log: { readonly named: Position; readonly held: readonly number[]; readonly nowMs: number },
): Promise<void> {
  const known = await Promise.all(tables.map(({ table }) => table.snapshot()))
  for (const table of tables) await table.open(log.nowMs, !known.some(hasCovered))
  for (const table of tables) {
    const others = await Promise.all(tables.filter((one) => one !== table).map((one) => one.look()))
    await table.change((base) => beginLike(base, others))
  }
  for (const table of tables)
    await table.change((base) => closeLostPartitions(base, log.named, log.held, log.nowMs))
}
