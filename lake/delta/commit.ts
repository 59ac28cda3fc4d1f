import { isError, TidemarkError } from '../../schemas/errors.ts'
import { type Clock, sleep } from '../../schemas/ports/clock.ts'
import type { ObjectStore } from '../store/port.ts'
import { addJson, metaDataJson, removeJson } from './actions.ts'
import { readCommit } from './log.ts'
import { commitKey } from './names.ts'
import type { Change, Snapshot } from './port.ts'
import type { TableState } from './replay.ts'

/**
 * The commit point: `put if absent` of the next version's JSON. Exactly one writer gets it; every other reads what the
 * winner wrote and either goes on behind it or discards its work.
 */

/** Tries to get an answer to a put that the store left unclear. */
const UNCLEAR_TRIES_MAX = 10
const UNCLEAR_WAIT_MS = 200

/** The bytes of a commit of `change` on top of `before`. */
export function encodeCommit(
  before: TableState,
  change: Change,
  { timeMs, commitId }: { timeMs: number; commitId: string },
): Uint8Array {
  const lines: object[] = [
    { commitInfo: { timestamp: timeMs, operation: change.operation, commitId, ...change.info } },
  ]
  if (change.configuration !== undefined) {
    lines.push({ metaData: metaDataJson({ ...before.metaData, configuration: change.configuration }) })
  }
  for (const [appId, { version, lastUpdatedMs }] of Object.entries(change.txns ?? {})) {
    lines.push({ txn: { appId, version, ...(lastUpdatedMs === null ? {} : { lastUpdated: lastUpdatedMs }) } })
  }
  for (const path of change.remove ?? []) {
    lines.push({ remove: removeJson(before.files.get(path)!, timeMs, change.dataChange) })
  }
  for (const file of change.add ?? []) lines.push({ add: addJson(file, change.dataChange) })
  return new TextEncoder().encode(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`)
}

/**
 * Why `change`, worked out on `base`, must not go on top of `newest`: null when nothing stands against it. Each txn it
 * sets, and the configuration if it sets that, must be as in `base`; each file it removes must still be there.
 */
export function conflictOf(base: Snapshot, newest: Snapshot, change: Change): string | null {
  for (const [appId, next] of Object.entries(change.txns ?? {})) {
    const before = base.txns.get(appId)?.version
    if (newest.txns.get(appId)?.version !== before) return `${appId} was changed`
    if (before !== undefined && next.version < before) return `${appId} would go back`
  }
  for (const path of change.remove ?? []) if (!newest.files.has(path)) return `${path} is gone`
  if (change.configuration !== undefined && base.configuration !== newest.configuration) {
    if (JSON.stringify(base.configuration) !== JSON.stringify(newest.configuration))
      return 'the configuration was changed'
  }
  return null
}

/** Puts the commit of `version`; false when another has that version. Throws when the store gives no answer. */
export async function putCommit(
  store: ObjectStore,
  table: string,
  version: number,
  bytes: Uint8Array,
  { commitId, clock }: { commitId: string; clock: Clock },
): Promise<boolean> {
  const key = commitKey(table, version)
  let unclear = false
  for (let tries = 1; ; tries++) {
    try {
      if (await store.putIfAbsent(key, bytes)) return true
      // After an unclear try the one that was first may have been this commit itself.
      return unclear && (await readCommit(store, table, version))?.commitId === commitId
    } catch (error) {
      if (!isError(error, 'E_STORE_AMBIGUOUS') || tries === UNCLEAR_TRIES_MAX) throw error
      unclear = true
      await sleep(clock, UNCLEAR_WAIT_MS * tries)
    }
  }
}

export function conflict(table: string, reason: string): TidemarkError {
  return new TidemarkError('E_CONFLICT', `${table}: another writer committed first: ${reason}`)
}
