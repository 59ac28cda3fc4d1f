import type { StoredObject } from '../store/port.ts'
import { lastCheckpoint } from './checkpoint.ts'
import type { TableLog } from './table-log.ts'

/**
 * The first commit that a start would miss: one behind the newest checkpoint, up to `version`, that is gone or empty; null when none is. Who
 * was there when it was whole knows what it said, and can write the checkpoint that makes it needless.
 */
export async function lostCommit(
  log: TableLog,
  objects: readonly StoredObject[],
  version: number,
): Promise<string | null> {
  if ((await missing(log, objects, version)) === null) return null
  // What was listed may be of before another process wrote a checkpoint and cleaned up.
  return missing(log, await log.store.list(log.folder), version)
}

async function missing(
  log: TableLog,
  objects: readonly StoredObject[],
  version: number,
): Promise<string | null> {
  const whole = objects.filter(({ size }) => size > 0)
  const { commits, checkpoints } = log.sort(whole)
  const listed = new Set(commits)
  for (let next = (checkpoints.at(-1) ?? -1) + 1; next <= version; next++) {
    if (listed.has(next)) continue
    const bytes = await log.store.get(log.commitKey(next))
    // A list may show neither a commit nor the checkpoint that let it go.
    if (bytes === null || bytes.length === 0)
      return (await lastCheckpoint(log)) >= next ? null : log.commitKey(next)
  }
  return null
}
