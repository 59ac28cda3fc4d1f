import type { StoredObject } from '../store/port.ts'
import { lastCheckpoint } from './checkpoint.ts'
import type { TableLog } from './table-log.ts'

/** A commit that a start would miss, or misread. */
export interface BadCommit {
  readonly key: string
  readonly fault: 'lost' | 'altered'
}

/**
 * The first commit behind the newest checkpoint, up to `version`, that is gone, empty, or says something else than when it was first
 * seen; null when none is. Who was there when it was whole knows what it said, and can write the checkpoint that makes it needless.
 */
export async function badCommit(
  log: TableLog,
  objects: readonly StoredObject[],
  version: number,
): Promise<BadCommit | null> {
  if ((await firstBad(log, objects, version)) === null) return null
  // What was listed may be of before another process wrote a checkpoint and cleaned up.
  return firstBad(log, await log.store.list(log.folder), version)
}

async function firstBad(
  log: TableLog,
  objects: readonly StoredObject[],
  version: number,
): Promise<BadCommit | null> {
  const whole = objects.filter(({ size }) => size > 0)
  const { commits, checkpoints } = log.sort(whole)
  const listed = new Set(commits)
  const byKey = new Map(whole.map((object) => [object.key, object]))
  for (let next = (checkpoints.at(-1) ?? -1) + 1; next <= version; next++) {
    const key = log.commitKey(next)
    const get = () => log.store.get(key)
    if (listed.has(next)) {
      if (await log.known.isAltered(next, byKey.get(key)!, get)) return { key, fault: 'altered' }
      continue
    }
    const bytes = await get()
    // A list may show neither a commit nor the checkpoint that let it go.
    if (bytes === null || bytes.length === 0)
      return (await lastCheckpoint(log)) >= next ? null : { key, fault: 'lost' }
  }
  return null
}
